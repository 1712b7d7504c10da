/* Nothing wrong with this one: two components, one of which good.so offers as well. */
#include "shelf.h"

TENON_PLUGIN_NOTE("good_pair", "1.5.0", "Shelf", "MIT",
                  TENON_NOTE_COMPONENT("restart_policy", "good",
                                       SHELF_SCHEMA) "," TENON_NOTE_COMPONENT("restart_policy", "other", SHELF_SCHEMA))

static const tenon_restart_policy table = {sizeof table,  0,    shelf_create, shelf_destroy,
                                           shelf_on_exit, NULL, NULL,         NULL};
static const tenon_component good = {sizeof good, 0, TENON_LITERAL("restart_policy"), TENON_LITERAL("good"), &table};
static const tenon_component other = {sizeof other, 0, TENON_LITERAL("restart_policy"), TENON_LITERAL("other"), &table};
static const tenon_component *const components[] = {&good, &other};
static const tenon_plugin plugin = {
    sizeof plugin, TENON_ABI_MAJOR, TENON_ABI_MINOR, 2, TENON_LITERAL("good_pair"), TENON_LITERAL("1.5.0"), components};
TENON_EXPORT const tenon_plugin *tenon_plugin_v1(void) { return &plugin; }
