/* Answers with an action that there is not. */
#include "shelf.h"

SHELF_NOTE("nonsense_on_exit", "nonsense_on_exit")

static tenon_status nonsense(void *self, const tenon_exit *ended, tenon_restart_decision *out, tenon_error *error) {
  (void)self;
  (void)ended;
  (void)error;
  out->action = 4711;
  out->delay_ns = UINT64_MAX;
  out->text_size = UINT32_MAX;
  return TENON_OK;
}

static const tenon_restart_policy table = {sizeof table, 0, shelf_create, shelf_destroy, nonsense, NULL, NULL, NULL};
SHELF_PLUGIN("nonsense_on_exit", "nonsense_on_exit", &table);
SHELF_EXPORT
