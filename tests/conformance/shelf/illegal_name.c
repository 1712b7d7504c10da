/* A component name with characters that would break listings, metrics and configs. */
#include "shelf.h"

SHELF_NOTE("illegal_name", "../Evil Name")

static const tenon_restart_policy table = {sizeof table,  0,    shelf_create, shelf_destroy,
                                           shelf_on_exit, NULL, NULL,         NULL};
SHELF_PLUGIN("illegal_name", "../Evil Name", &table);
SHELF_EXPORT
