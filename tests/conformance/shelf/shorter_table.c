/* Good in a host whose table has grown since: this table ends behind `on_ready`. Bad in one where that is too short. */
#include "shelf.h"

SHELF_NOTE("shorter_table", "shorter_table")

static const tenon_restart_policy table = {
    offsetof(tenon_restart_policy, reset), 0, shelf_create, shelf_destroy, shelf_on_exit, NULL, NULL, NULL};
SHELF_PLUGIN("shorter_table", "shorter_table", &table);
SHELF_EXPORT
