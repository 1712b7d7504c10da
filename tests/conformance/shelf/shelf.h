/* What the plugins on the shelf share: a restart policy that does nothing wrong, to be spoiled by each in one way. */
#ifndef TENON_SHELF_H
#define TENON_SHELF_H

#include <tenon/restart_policy.h>

#ifndef SHELF_VERSION
#define SHELF_VERSION "1.0.0"
#endif

#define SHELF_SCHEMA TENON_JSON({"type" : "object"})
#define SHELF_NOTE(plugin, component)                      \
  TENON_PLUGIN_NOTE(plugin, SHELF_VERSION, "Shelf", "MIT", \
                    TENON_NOTE_COMPONENT("restart_policy", component, SHELF_SCHEMA))

/* The description that tenon_plugin_v1 returns, for one component called `component_name` with `component_table`. */
#define SHELF_PLUGIN(plugin_name, component_name, component_table)                              \
  static const tenon_component shelf_component = {                                              \
      sizeof shelf_component, 0, TENON_LITERAL(TENON_KIND_RESTART_POLICY),                      \
      TENON_LITERAL(component_name), component_table};                                          \
  static const tenon_component *const shelf_components[] = {&shelf_component};                  \
  static const tenon_plugin shelf_plugin = {                                                    \
      sizeof shelf_plugin, TENON_ABI_MAJOR, TENON_ABI_MINOR, 1, TENON_LITERAL(plugin_name),     \
      TENON_LITERAL(SHELF_VERSION), shelf_components}

#define SHELF_EXPORT \
  TENON_EXPORT const tenon_plugin *tenon_plugin_v1(void) { return &shelf_plugin; }

static inline tenon_status shelf_create(const tenon_host *host, void **out_self, tenon_error *error) {
  static int instance;
  (void)host;
  (void)error;
  *out_self = &instance;
  return TENON_OK;
}
static inline void shelf_destroy(void *self) { (void)self; }
static inline tenon_status shelf_on_exit(void *self, const tenon_exit *ended, tenon_restart_decision *out,
                                         tenon_error *error) {
  (void)self;
  (void)ended;
  (void)error;
  out->action = TENON_RESTART_FINISHED;
  return TENON_OK;
}

#endif /* TENON_SHELF_H */
