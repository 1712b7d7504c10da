/* Built for an ABI that this host does not speak; loading it would kill the host. */
#include <stdlib.h>

#include <tenon/types.h>
#undef TENON_ABI_MAJOR
#define TENON_ABI_MAJOR 2
#undef TENON_ABI_MINOR
#define TENON_ABI_MINOR 3

#include "shelf.h"

SHELF_NOTE("other_major", "other_major")

__attribute__((constructor)) static void must_not_run(void) { abort(); }

static const tenon_restart_policy table = {sizeof table,  0,    shelf_create, shelf_destroy,
                                           shelf_on_exit, NULL, NULL,         NULL};
SHELF_PLUGIN("other_major", "other_major", &table);
SHELF_EXPORT
