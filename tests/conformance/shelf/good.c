/* Nothing wrong with this one. */
#include "shelf.h"

SHELF_NOTE("good", "good")

static const tenon_restart_policy table = {sizeof table,  0,    shelf_create, shelf_destroy,
                                           shelf_on_exit, NULL, NULL,         NULL};
SHELF_PLUGIN("good", "good", &table);
SHELF_EXPORT
