/* Loads and creates well, and never returns from its first real call. */
#include "shelf.h"

SHELF_NOTE("spin_in_on_exit", "spin_in_on_exit")

static tenon_status spin(void *self, const tenon_exit *ended, tenon_restart_decision *out, tenon_error *error) {
  volatile unsigned turns = 0;
  (void)self;
  (void)ended;
  (void)out;
  (void)error;
  for (;;) ++turns;
}

static const tenon_restart_policy table = {sizeof table, 0, shelf_create, shelf_destroy, spin, NULL, NULL, NULL};
SHELF_PLUGIN("spin_in_on_exit", "spin_in_on_exit", &table);
SHELF_EXPORT
