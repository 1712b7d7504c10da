/* Says twice, and differently, who it is. */
#include "shelf.h"

SHELF_NOTE("two_notes", "two_notes")
#define tenon_note_ second_tenon_note_
SHELF_NOTE("somebody_else", "two_notes")

static const tenon_restart_policy table = {sizeof table,  0,    shelf_create, shelf_destroy,
                                           shelf_on_exit, NULL, NULL,         NULL};
SHELF_PLUGIN("two_notes", "two_notes", &table);
SHELF_EXPORT
