/* Its note and its code disagree about the version. */
#include "shelf.h"

SHELF_NOTE("other_version", "other_version")
#undef SHELF_VERSION
#define SHELF_VERSION "1.0.1"

static const tenon_restart_policy table = {sizeof table,  0,    shelf_create, shelf_destroy,
                                           shelf_on_exit, NULL, NULL,         NULL};
SHELF_PLUGIN("other_version", "other_version", &table);
SHELF_EXPORT
