/* Its note promises a component that its code does not offer. */
#include "shelf.h"

SHELF_NOTE("other_component", "promised")

static const tenon_restart_policy table = {sizeof table,  0,    shelf_create, shelf_destroy,
                                           shelf_on_exit, NULL, NULL,         NULL};
SHELF_PLUGIN("other_component", "offered", &table);
SHELF_EXPORT
