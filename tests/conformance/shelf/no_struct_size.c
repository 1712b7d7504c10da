/* Its table says that it has no size. */
#include "shelf.h"

SHELF_NOTE("no_struct_size", "no_struct_size")

static const tenon_restart_policy table = {0, 0, shelf_create, shelf_destroy, shelf_on_exit, NULL, NULL, NULL};
SHELF_PLUGIN("no_struct_size", "no_struct_size", &table);
SHELF_EXPORT
