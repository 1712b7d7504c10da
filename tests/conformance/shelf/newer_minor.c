/* Good: built with headers of a later minor version, whose table and structs have grown at their ends. */
#include <tenon/types.h>
#undef TENON_ABI_MINOR
#define TENON_ABI_MINOR 9

#include "shelf.h"

SHELF_NOTE("newer_minor", "newer_minor")

typedef struct later_table {
  tenon_restart_policy known;
  void (*of_the_future)(void *self);
} later_table;

static const later_table table = {
    {sizeof table, 0, shelf_create, shelf_destroy, shelf_on_exit, NULL, NULL, NULL}, shelf_destroy};
SHELF_PLUGIN("newer_minor", "newer_minor", &table);
SHELF_EXPORT
