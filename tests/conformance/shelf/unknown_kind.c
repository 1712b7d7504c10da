/* Good for a host of a later version: its only component is of a kind that does not exist yet. */
#include "shelf.h"

TENON_PLUGIN_NOTE("unknown_kind", SHELF_VERSION, "Shelf", "MIT", TENON_NOTE_COMPONENT("oracle", "delphi", SHELF_SCHEMA))

static const tenon_restart_policy table = {sizeof table,  0,    shelf_create, shelf_destroy,
                                           shelf_on_exit, NULL, NULL,         NULL};
static const tenon_component component = {sizeof component, 0, TENON_LITERAL("oracle"), TENON_LITERAL("delphi"),
                                          &table};
static const tenon_component *const components[] = {&component};
static const tenon_plugin plugin = {
    sizeof plugin, TENON_ABI_MAJOR, TENON_ABI_MINOR, 1, TENON_LITERAL("unknown_kind"), TENON_LITERAL(SHELF_VERSION),
    components};
TENON_EXPORT const tenon_plugin *tenon_plugin_v1(void) { return &plugin; }
