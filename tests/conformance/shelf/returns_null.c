/* Says that it cannot work here. */
#include "shelf.h"

SHELF_NOTE("returns_null", "returns_null")

TENON_EXPORT const tenon_plugin *tenon_plugin_v1(void) { return NULL; }
