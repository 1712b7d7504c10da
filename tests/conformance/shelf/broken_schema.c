/* Its config schema is no JSON. */
#include "shelf.h"

TENON_PLUGIN_NOTE("broken_schema", SHELF_VERSION, "Shelf", "MIT",
                  TENON_NOTE_COMPONENT("restart_policy", "broken_schema", "{type: 'object'}"))

static const tenon_restart_policy table = {sizeof table,  0,    shelf_create, shelf_destroy,
                                           shelf_on_exit, NULL, NULL,         NULL};
SHELF_PLUGIN("broken_schema", "broken_schema", &table);
SHELF_EXPORT
