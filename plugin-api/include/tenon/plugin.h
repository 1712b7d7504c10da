/* What every plugin exports: one symbol, and one ELF note that says the same without running any code.
 *
 * The model. A plugin is a shared object that offers components; a component is a kind and a name ("transport/nats")
 * with a table of functions for that kind. The host reads the note first: it lists, refuses, explains and checks
 * configs without executing anything of the file. Then it loads a private copy, calls tenon_plugin_v1 once, and
 * compares the two.
 *
 * A table that is shorter than the host's is completed with stubs that return TENON_ERR_UNSUPPORTED; a longer one is
 * used as far as the host knows it; a missing required slot refuses the component by the slot's name.
 *
 * Nothing but tenon_plugin_v1 should leave the file. What is inline or static in a template and visible, the dynamic
 * linker makes one for all versions of the file that are loaded, so a new version would run with the tables and state
 * of the old one; the host refuses a version whose tables are not its own. Compile with -fvisibility=hidden, and link
 * with the version script that is installed as share/tenon/tenon_plugin.map. (The SDK hides what it defines by itself.)
 *
 * The whole of a plugin in C:
 *
 *   TENON_PLUGIN_NOTE("hello", "1.0.0", "Example", "MIT",
 *                     TENON_NOTE_COMPONENT("restart_policy", "hello", TENON_JSON({"type" : "object"})))
 *   static const tenon_restart_policy table = { sizeof table, 0, create, destroy, on_exit, … };
 *   static const tenon_component component = { sizeof component, 0, TENON_LITERAL("restart_policy"),
 *                                              TENON_LITERAL("hello"), &table };
 *   static const tenon_component *const components[] = { &component };
 *   static const tenon_plugin plugin = { sizeof plugin, TENON_ABI_MAJOR, TENON_ABI_MINOR, 1,
 *                                        TENON_LITERAL("hello"), TENON_LITERAL("1.0.0"), components };
 *   TENON_EXPORT const tenon_plugin *tenon_plugin_v1(void) { return &plugin; }
 */
#ifndef TENON_PLUGIN_H
#define TENON_PLUGIN_H

#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The four kinds. */
#define TENON_KIND_TRANSPORT "transport"
#define TENON_KIND_SERIALIZER "serializer"
#define TENON_KIND_HEALTH_CHECK "health_check"
#define TENON_KIND_RESTART_POLICY "restart_policy"

/* A tenon_str from a string literal, usable in static initialisers. */
#define TENON_LITERAL(literal) { (literal), sizeof(literal) - 1 }

typedef struct tenon_component {
  uint32_t struct_size;
  uint32_t reserved;
  tenon_str kind;    /* TENON_KIND_… */
  tenon_str name;    /* [a-z0-9_]{1,64} */
  const void *table; /* const tenon_transport *, … as the kind says; begins with its struct_size */
} tenon_component;

typedef struct tenon_plugin {
  uint32_t struct_size;
  uint16_t abi_major; /* TENON_ABI_MAJOR */
  uint16_t abi_minor; /* TENON_ABI_MINOR */
  uint32_t component_count; /* 1 … 64 */
  tenon_str name;           /* as in the note */
  tenon_str version;        /* semantic version, as in the note */
  const tenon_component *const *components;
} tenon_plugin;

/* The one exported symbol; its name carries the major version. Called once after loading, before anything else. Returns
 * static memory, or NULL if the plugin cannot work here. The file stays mapped until the process ends, also when a
 * newer version has taken over; the process ends by _exit(), so destructors of statics and functions of atexit() do not
 * run. [loop] */
TENON_EXPORT const tenon_plugin *tenon_plugin_v1(void);

/* --- the ELF note ---
 * Section .note.tenon, owner "Tenon", type 1, description: one JSON object (UTF-8, at most 256 KiB), which may be
 * followed by NUL octets, as the C literal of TENON_PLUGIN_NOTE is:
 *   {"abi":[1,0],"name":…,"version":…,"vendor":…,"licence":…,
 *    "components":[{"kind":…,"name":…,"schema":{…JSON Schema draft 7 of the component's config…}}]}
 * A transport's schema may have the member "x-tenon-url-schemes", such as ["nats", "tls"]: the config's url must then be
 * there and begin with one of them and "://", which `tenon check` looks at without running the plugin.
 * Source of the container format: ELF gABI, "Note Section". */
#define TENON_NOTE_OWNER "Tenon"
#define TENON_NOTE_TYPE 1u

#define TENON_STRINGIFY_(x) #x
#define TENON_STRINGIFY(x) TENON_STRINGIFY_(x)

/* A health check's schema may have the member "x-tenon-needs-channel": true. `tenon check` then warns of it for a process
 * without a channel. "x-tenon-watchdog": "max_age" names the property that says how often at least the process has to
 * send WATCHDOG=1 by sd_notify(3): a duration with a "default". Its processes get WATCHDOG_USEC and NOTIFY_SOCKET, and the
 * check sees the messages as control messages "tenon.watchdog" and "tenon.watchdog.trigger". */

/* In a schema, "x-tenon-path": "program" or "directory" beside a property says that its value (of a list, the first
 * element) is a path, so that `tenon check` looks whether it is there; a relative one is relative to the config's. */

/* JSON written as it is: TENON_JSON({"type": "object"}) becomes the text of what stands between the parentheses. */
#define TENON_JSON(...) #__VA_ARGS__

/* One entry of the note's component list; `schema` is JSON text, for instance from TENON_JSON. */
#define TENON_NOTE_COMPONENT(kind, name, schema) \
  "{\"kind\":\"" kind "\",\"name\":\"" name "\",\"schema\":" schema "}"

#define TENON_NOTE_TEXT_(name, version, vendor, licence, components)                                        \
  "{\"abi\":[" TENON_STRINGIFY(TENON_ABI_MAJOR) "," TENON_STRINGIFY(TENON_ABI_MINOR) "],\"name\":\"" name   \
  "\",\"version\":\"" version "\",\"vendor\":\"" vendor "\",\"licence\":\"" licence                              \
  "\",\"components\":[" components "]}"

/* Puts the note into the file. `components` is one TENON_NOTE_COMPONENT or several joined by "," literals:
 * TENON_NOTE_COMPONENT(…) "," TENON_NOTE_COMPONENT(…). Use once a plugin, at file scope. */
#define TENON_PLUGIN_NOTE(name, version, vendor, licence, components)                                       \
  extern const struct tenon_note_ {                                                                         \
    uint32_t owner_size, text_size, type;                                                                   \
    char owner[8];                                                                                          \
    char text[sizeof(TENON_NOTE_TEXT_(name, version, vendor, licence, components))];                        \
  } tenon_note_;                                                                                            \
  __attribute__((section(".note.tenon"), used, aligned(4))) const struct tenon_note_ tenon_note_ = {        \
      sizeof(TENON_NOTE_OWNER), sizeof(TENON_NOTE_TEXT_(name, version, vendor, licence, components)),       \
      TENON_NOTE_TYPE, TENON_NOTE_OWNER, TENON_NOTE_TEXT_(name, version, vendor, licence, components)};

#ifdef __cplusplus
}
#endif

#endif /* TENON_PLUGIN_H */
