/* Calls a function that no library defines: with lazy binding it would fail in the middle of the night. */
#include "shelf.h"

SHELF_NOTE("unresolved_symbol", "unresolved_symbol")

extern tenon_status function_that_nobody_defines(void *self, const tenon_exit *ended, tenon_restart_decision *out,
                                                 tenon_error *error);

static tenon_status on_exit_calls_it(void *self, const tenon_exit *ended, tenon_restart_decision *out,
                                     tenon_error *error) {
  return function_that_nobody_defines(self, ended, out, error);
}

static const tenon_restart_policy table = {sizeof table,     0,    shelf_create, shelf_destroy,
                                           on_exit_calls_it, NULL, NULL,         NULL};
SHELF_PLUGIN("unresolved_symbol", "unresolved_symbol", &table);
SHELF_EXPORT
