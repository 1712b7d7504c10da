// Linked without the version script: its table is an inline variable, which the dynamic linker makes unique in the
// whole process, so a second version would silently run with the first one's table.
#include "shelf.h"

SHELF_NOTE("visible", "visible")

inline tenon_restart_policy shared_by_all_versions = {
    sizeof(tenon_restart_policy), 0, shelf_create, shelf_destroy, shelf_on_exit, nullptr, nullptr, nullptr};

SHELF_PLUGIN("visible", "visible", &shared_by_all_versions);
extern "C" SHELF_EXPORT
