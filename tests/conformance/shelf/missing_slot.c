/* Forgot the one function that a restart policy is about. */
#include "shelf.h"

SHELF_NOTE("missing_slot", "missing_slot")

static const tenon_restart_policy table = {sizeof table, 0, shelf_create, shelf_destroy, NULL, NULL, NULL, NULL};
SHELF_PLUGIN("missing_slot", "missing_slot", &table);
SHELF_EXPORT
