/* A transport that kills its host when it is made. */
#include <stdlib.h>

#include <tenon/plugin.h>
#include <tenon/transport.h>

TENON_PLUGIN_NOTE("abort_in_create_transport", "1.0.0", "Shelf", "MIT",
                  TENON_NOTE_COMPONENT("transport", "abort_in_create_transport", TENON_JSON({"type" : "object"})))

static tenon_status create(const tenon_host *host, const tenon_connection_config *config, void **out_self,
                           tenon_error *error) {
  (void)host;
  (void)config;
  (void)out_self;
  (void)error;
  abort();
}
static void never(void) { abort(); }
#define NEVER(slot) .slot = (__typeof__(((tenon_transport *)0)->slot))never

static const tenon_transport table = {
    .struct_size = sizeof table, .create = create, NEVER(destroy), NEVER(describe), NEVER(connect), NEVER(disconnect),
    NEVER(send), NEVER(request), NEVER(subscribe), NEVER(unsubscribe), NEVER(health_check), NEVER(reply)};
static const tenon_component component = {sizeof component, 0, TENON_LITERAL(TENON_KIND_TRANSPORT),
                                          TENON_LITERAL("abort_in_create_transport"), &table};
static const tenon_component *const components[] = {&component};
static const tenon_plugin plugin = {sizeof plugin, TENON_ABI_MAJOR, TENON_ABI_MINOR, 1,
                                    TENON_LITERAL("abort_in_create_transport"), TENON_LITERAL("1.0.0"), components};
TENON_EXPORT const tenon_plugin *tenon_plugin_v1(void) { return &plugin; }
