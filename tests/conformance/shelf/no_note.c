/* Exports the symbol, but nobody can tell what it is without running it. */
#include "shelf.h"

static const tenon_restart_policy table = {sizeof table,  0,    shelf_create, shelf_destroy,
                                           shelf_on_exit, NULL, NULL,         NULL};
SHELF_PLUGIN("no_note", "no_note", &table);
SHELF_EXPORT
