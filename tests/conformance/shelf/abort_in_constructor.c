/* Kills its host before anything of it was called. */
#include <stdlib.h>

#include "shelf.h"

SHELF_NOTE("abort_in_constructor", "abort_in_constructor")

__attribute__((constructor)) static void run_before_any_check(void) { abort(); }

static const tenon_restart_policy table = {sizeof table,  0,    shelf_create, shelf_destroy,
                                           shelf_on_exit, NULL, NULL,         NULL};
SHELF_PLUGIN("abort_in_constructor", "abort_in_constructor", &table);
SHELF_EXPORT
