/* Has the note, but exports nothing. */
#include "shelf.h"

SHELF_NOTE("no_symbol", "no_symbol")
