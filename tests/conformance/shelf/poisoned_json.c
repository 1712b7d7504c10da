/* serializer/json as it is (the file that SHELF_REAL_JSON names), but for two words that it does not bear: an event
 * that holds "poison" crashes it, one that holds "quicksand" is never finished with. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include <tenon/plugin.h>
#include <tenon/serializer.h>

TENON_PLUGIN_NOTE("json", "1.0.0", "Shelf", "MIT",
                  TENON_NOTE_COMPONENT("serializer", "json", TENON_JSON({"type" : "object"})))

static tenon_serializer table;
static tenon_status (*real_read_event)(void *, tenon_bytes, tenon_event *, tenon_error *);

static tenon_status read_event(void *self, tenon_bytes input, tenon_event *out, tenon_error *error) {
  volatile unsigned turns = 0;
  if (memmem(input.data, input.size, "poison", 6) != NULL) abort();
  while (memmem(input.data, input.size, "quicksand", 9) != NULL) ++turns;
  return real_read_event(self, input, out, error);
}

static const tenon_component component = {sizeof component, 0, TENON_LITERAL(TENON_KIND_SERIALIZER),
                                          TENON_LITERAL("json"), &table};
static const tenon_component *const components[] = {&component};
static const tenon_plugin plugin = {sizeof plugin, TENON_ABI_MAJOR, TENON_ABI_MINOR, 1, TENON_LITERAL("json"),
                                    TENON_LITERAL("1.0.0"), components};

TENON_EXPORT const tenon_plugin *tenon_plugin_v1(void) {
  const char *path = getenv("SHELF_REAL_JSON");
  void *library = path == NULL ? NULL : dlopen(path, RTLD_NOW | RTLD_LOCAL);
  const tenon_plugin *(*entry)(void) = NULL;
  if (library == NULL) return NULL;
  *(void **)&entry = dlsym(library, "tenon_plugin_v1");
  memcpy(&table, entry()->components[0]->table, sizeof table);
  real_read_event = table.read_event;
  table.read_event = read_event;
  return &plugin;
}
