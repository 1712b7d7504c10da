/* Recurses until its host's stack is used up. */
#include "shelf.h"

SHELF_NOTE("overflow_in_create", "overflow_in_create")

static unsigned deeper(volatile unsigned char *before) {
  volatile unsigned char frame[4096];
  frame[0] = before == NULL ? 1 : before[0];
  return deeper(frame) + frame[0];
}

static tenon_status create(const tenon_host *host, void **out_self, tenon_error *error) {
  (void)host;
  (void)error;
  *out_self = NULL;
  return deeper(NULL) == 0 ? TENON_OK : TENON_ERR_INTERNAL;
}

static const tenon_restart_policy table = {sizeof table, 0, create, shelf_destroy, shelf_on_exit, NULL, NULL, NULL};
SHELF_PLUGIN("overflow_in_create", "overflow_in_create", &table);
SHELF_EXPORT
