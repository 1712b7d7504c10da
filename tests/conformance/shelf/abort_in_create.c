/* Loads well and kills its host with the first instance. */
#include <stdlib.h>

#include "shelf.h"

SHELF_NOTE("abort_in_create", "abort_in_create")

static tenon_status create(const tenon_host *host, void **out_self, tenon_error *error) {
  (void)host;
  (void)out_self;
  (void)error;
  abort();
}

static const tenon_restart_policy table = {sizeof table, 0, create, shelf_destroy, shelf_on_exit, NULL, NULL, NULL};
SHELF_PLUGIN("abort_in_create", "abort_in_create", &table);
SHELF_EXPORT
