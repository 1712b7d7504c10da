/* What the host does for a plugin's instance.
 *
 * The model. Every instance (one transport connection, one health check of one process, …) is created with its own
 * `const tenon_host *`, valid from create until destroy returns. Its first argument everywhere is `host->context`.
 * Timers, watches and queued work belong to the instance: destroy ends them, and no callback of theirs runs afterwards.
 *
 * Breaking a rule of these headers is counted against the plugin by name (tenon_plugin_misbehaviour_total) and told as
 * system.plugin.misbehaved: a completion that comes too late or answers nothing, a [loop] function called on another
 * thread, a struct_size that is too small, a value out of its range, a 65th metric. What it tried to do is dropped. A
 * call after destroy is dropped and counted too, but only while the host remembers the instance (the last 256 ended
 * ones), so a plugin must not rely on that.
 *
 * A callback is a function pointer with an argument of the plugin's own; it runs on the thread that the comment names.
 *
 * Sections: identity and log, config, time and chance, timers and descriptors, threads, commands, processes and
 * transports, completions, extensions, listening sockets.
 */
#ifndef TENON_HOST_H
#define TENON_HOST_H

#include "event.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef void (*tenon_callback)(void *argument);
/* `ready` is a set of TENON_FD_…; an error or hang-up sets every watched bit. */
typedef void (*tenon_fd_callback)(void *argument, uint32_t ready);
/* How queued work ended: TENON_OK, TENON_ERR_TIMEOUT (the work may still run), TENON_ERR_EXHAUSTED (no thread was free
 * by the deadline: the work was not begun and will not be), TENON_ERR_CANCELLED. */
typedef void (*tenon_done_callback)(void *argument, tenon_status status);

#define TENON_LOG_TRACE 0u
#define TENON_LOG_DEBUG 1u
#define TENON_LOG_INFO 2u
#define TENON_LOG_WARN 3u
#define TENON_LOG_ERROR 4u

#define TENON_FD_READ 1u
#define TENON_FD_WRITE 2u

#define TENON_METRIC_COUNTER 0u /* value is added */
#define TENON_METRIC_GAUGE 1u   /* value is set */

/* A command to run to its end, in a process group of its own that is killed at the deadline, grandchildren included. */
typedef struct tenon_command {
  uint32_t struct_size;
  uint32_t argument_count;    /* at least 1; arguments[0] is the program: searched in PATH if it has no slash, else, if
                                 it does not begin with one, relative to the directory of the host's config file */
  const tenon_str *arguments;
  uint32_t environment_count; /* "NAME=value" pairs on top of those that the command has anyway; see run_command */
  uint32_t output_limit;      /* octets of standard output and error together of which the last are kept; 0: 4096 */
  const tenon_str *environment;
  tenon_str directory;  /* absent: the process's, or the host's, see run_command; relative to the config file's */
  uint64_t deadline_ns; /* on the monotonic clock of monotonic_ns() */
} tenon_command;

#define TENON_EXIT_CODE 0u    /* `value` is the exit code */
#define TENON_EXIT_SIGNAL 1u  /* `value` is the signal that ended it */
#define TENON_EXIT_TIMEOUT 2u /* killed at the deadline */
#define TENON_EXIT_FAILED 3u  /* never started; `output` says why */

typedef struct tenon_command_result {
  uint32_t struct_size;
  uint32_t ended; /* TENON_EXIT_… */
  int32_t value;
  uint32_t output_truncated; /* 1: there was more before `output` */
  tenon_bytes output;        /* the last output_limit octets, both streams in the order in which they were read */
  uint64_t duration_ns;
} tenon_command_result;
typedef void (*tenon_command_callback)(void *argument, const tenon_command_result *result);

/* How a request for a listening socket ended: `error` NULL and the descriptor, or why there is none, and fd -1. */
typedef void (*tenon_listen_callback)(void *argument, int32_t fd, const tenon_error *error);

/* What a process uses now. A field that cannot be read is UINT64_MAX. */
typedef struct tenon_usage {
  uint32_t struct_size;
  uint32_t process_count;
  uint64_t memory_bytes; /* resident */
  uint64_t cpu_ns;       /* user and system, since its start */
} tenon_usage;

/* The result of a health check. Also see health_check.h. */
typedef struct tenon_health_result {
  uint32_t struct_size;
  uint32_t health;     /* TENON_HEALTH_… */
  tenon_str reason;    /* for people; required unless healthy */
  uint64_t latency_ns; /* as the plugin measured it; 0: the host's own measurement counts */
} tenon_health_result;

#define TENON_HEALTHY 0u
#define TENON_DEGRADED 1u
#define TENON_UNHEALTHY 2u

/* An event on its way to or from a transport. Outgoing it is always encoded, and has its attributes as well for a
 * transport with TENON_TRANSPORT_ATTRIBUTES. Incoming it must be encoded: a host of version 1.0 reads no attributes of
 * a transport and answers TENON_ERR_UNSUPPORTED. */
typedef struct tenon_message {
  uint32_t struct_size;
  uint32_t hops;            /* hosts passed so far; a transport between hosts carries it on, others leave it 0 */
  tenon_str topic;          /* the subject on the wire; checked: printable, no spaces, no wildcards */
  const tenon_event *event; /* outgoing: the attributes as spans, if asked for; its data may be in another encoding than
                               `content_type`, see its `format`. Incoming: NULL */
  tenon_bytes encoded;      /* the whole event in `content_type` */
  tenon_str content_type;   /* "application/json", "application/msgpack"; incoming, absent or empty: not said, the host
                               takes what begins with a brace for JSON and anything else for MessagePack */
  tenon_str reply;          /* incoming: where to answer (opaque, pass it to reply()); outgoing: absent */
  tenon_str origin;         /* the node id that the event came into the federation at; absent: here */
} tenon_message;

typedef struct tenon_host {
  uint32_t struct_size;
  uint32_t abi_minor; /* the host's; its major is the plugin's */
  void *context;

  /* --- identity and log --- */

  /* The instance's name, such as "bus" or "counter.1/health/0". Valid as long as the instance. [any] */
  tenon_str (*instance_name)(void *context);
  /* The host's node name. Valid as long as the instance. [any] */
  tenon_str (*node)(void *context);
  /* One line; control characters are escaped; rate limited per instance. [any] */
  void (*log)(void *context, uint32_t level, tenon_str text);
  /* Adds to a counter or sets a gauge named tenon_plugin_<name>, labelled with plugin and instance. Name:
   * [a-z0-9_]{1,64}; at most 64 names an instance, more are dropped and counted as misbehaviour. [any] */
  void (*metric)(void *context, tenon_str name, uint32_t kind, double value);

  /* --- config: the instance's own, already valid against the component's schema --- */

  /* The whole config as plain JSON text (RFC 8259: comments are gone, variables expanded), valid as long as the
   * instance; "{}" if none was given. [any] */
  tenon_str (*config_json)(void *context);
  /* One value by JSON pointer (RFC 6901), such as "/initial". TENON_ERR_NOT_FOUND when absent (the out-parameter keeps
   * its default), TENON_ERR_INVALID_ARGUMENT when it has another type. Text is valid as long as the instance. [loop] */
  tenon_status (*config_string)(void *context, tenon_str pointer, tenon_str *out);
  tenon_status (*config_integer)(void *context, tenon_str pointer, int64_t *out);
  tenon_status (*config_number)(void *context, tenon_str pointer, double *out);
  tenon_status (*config_boolean)(void *context, tenon_str pointer, uint32_t *out);
  tenon_status (*config_duration)(void *context, tenon_str pointer, uint64_t *out_ns); /* from "250ms", "5s", "2m" */
  tenon_status (*config_size)(void *context, tenon_str pointer, uint64_t *out_octets); /* from "64KiB" */
  /* The number of elements of an array or members of an object. [loop] */
  tenon_status (*config_count)(void *context, tenon_str pointer, size_t *out);
  /* The name of an object's member, unescaped, `index` from 0 in the order of the config; as a part of a pointer, '~'
   * in it is written "~0" and '/' "~1". TENON_ERR_NOT_FOUND beyond the last, TENON_ERR_INVALID_ARGUMENT when the value
   * is no object. Valid as long as the instance. [loop] */
  tenon_status (*config_key)(void *context, tenon_str pointer, size_t index, tenon_str *out);

  /* --- time and chance --- */

  uint64_t (*monotonic_ns)(void *context);           /* never goes back; for deadlines [any] */
  uint64_t (*wall_ns)(void *context);                /* UTC since 1970; may jump [any] */
  uint64_t (*random)(void *context);                 /* 64 uniform bits, not for secrets [any] */

  /* --- timers and descriptors --- */

  /* Runs the callback once after delay_ns, then every period_ns (0: once only). At most 1024 an instance:
   * TENON_ERR_EXHAUSTED beyond. [loop], callback [loop] */
  tenon_status (*timer_start)(void *context, uint64_t delay_ns, uint64_t period_ns, tenon_callback callback,
                              void *argument, uint64_t *out_timer);
  /* Cancels; afterwards the callback does not run. Unknown and fired timers are ignored. [loop] */
  void (*timer_cancel)(void *context, uint64_t timer);
  /* Watches a descriptor of the plugin's, level-triggered. The plugin unwatches before it closes. At most 1024 an
   * instance. [loop], callback [loop] */
  tenon_status (*fd_watch)(void *context, int32_t fd, uint32_t interest, tenon_fd_callback callback, void *argument,
                           uint64_t *out_watch);
  /* Changes what is waited for; 0 pauses. [loop] */
  tenon_status (*fd_interest)(void *context, uint64_t watch, uint32_t interest);
  void (*fd_unwatch)(void *context, uint64_t watch); /* [loop] */

  /* --- threads --- */

  /* Runs work(argument) on a worker thread; then done(argument, how) on the loop. At its deadline `done` gets
   * TENON_ERR_TIMEOUT while the thread is written off. TENON_ERR_EXHAUSTED when too much is queued. `done` never runs
   * after destroy; work that no thread has begun by then is dropped where possible but may still run, and work that has
   * begun runs to its end. So `work` must use only what outlives the instance, and neither may be the only one to free
   * it. [loop], work [worker], done [loop] */
  tenon_status (*run_on_worker)(void *context, tenon_callback work, tenon_done_callback done, void *argument,
                                uint64_t deadline_ns);
  /* Runs the callback on the loop, in order of the calls of one thread. Dropped after destroy: `argument` must then not
   * own anything that only the callback would free. TENON_ERR_EXHAUSTED beyond 65536 waiting. [any], callback [loop] */
  tenon_status (*post_to_loop)(void *context, tenon_callback callback, void *argument);
  /* Runs the callback on each host thread that ran this plugin's code, when that thread ends. Once a plugin, callback
   * and argument, however many instances ask. It belongs to the plugin, not to the instance: it stays after destroy and
   * until the host ends, so `argument` is NULL or static. [any], callback [that thread] */
  tenon_status (*at_thread_exit)(void *context, tenon_callback callback, void *argument);

  /* --- commands --- */

  /* Runs a command through the keeper; at most 16 at once an instance. For a health check it runs as the checked
   * process does: with its user and groups, its environment and its directory; for others with the host's user and
   * directory and a minimal environment (PATH, HOME, USER, LANG). The callback runs exactly once, never from
   * within this call, unless the command is cancelled or the instance destroyed first (which cancels). `out_command`
   * may be NULL. [loop], callback [loop] */
  tenon_status (*run_command)(void *context, const tenon_command *command, tenon_command_callback callback,
                              void *argument, uint64_t *out_command);
  /* Kills the command's whole group, grandchildren included; its callback does not run. Unknown and ended commands are
   * ignored. [loop] */
  void (*command_cancel)(void *context, uint64_t command);

  /* --- processes and transports --- */

  /* What the process uses now, into a struct that the plugin initialised with TENON_INIT. TENON_ERR_NOT_FOUND if it
   * does not run. [loop] */
  tenon_status (*process_usage)(void *context, tenon_str process_id, tenon_usage *out);
  /* When the process last sent a control message of the type ("tenon.heartbeat"), on the monotonic clock; 0: not since
   * its start. TENON_ERR_NOT_FOUND if it does not run. [loop] */
  tenon_status (*last_control_message)(void *context, tenon_str process_id, tenon_str type, uint64_t *out_ns);
  /* Asks the named transport for a round trip to its remote. TENON_OK: done follows exactly once, perhaps from within
   * this call, with TENON_OK or the failure, but never after destroy. Else nothing follows: TENON_ERR_NOT_FOUND if
   * there is no transport of that name. [loop], done [loop] */
  tenon_status (*transport_round_trip)(void *context, tenon_str transport, uint64_t deadline_ns,
                                       tenon_done_callback done, void *argument);

  /* --- completions: each answers one asynchronous call of the host by its token --- */

  /* Ends connect, disconnect, send, reply, subscribe, unsubscribe, health_check of a transport. `error` NULL: done.
   * [any] */
  void (*complete)(void *context, uint64_t token, const tenon_error *error);
  /* Ends request of a transport. Exactly one of reply and error is not NULL. [any] */
  void (*complete_request)(void *context, uint64_t token, const tenon_message *reply, const tenon_error *error);
  /* Ends check of a health check. `error`: the check itself could not run; counts as unhealthy with that reason, but
   * not at all if it is TENON_ERR_EXHAUSTED with TENON_FAULT_HOST (the host had no thread or command free). [any] */
  void (*complete_check)(void *context, uint64_t token, const tenon_health_result *result, const tenon_error *error);

  /* --- what a transport tells without being asked --- */

  /* The connection's state changed; see TENON_TRANSPORT_… in transport.h. `why` may be NULL. [any] */
  void (*transport_state)(void *context, uint32_t state, const tenon_error *why);
  /* An event came in on a subscription. The host has copied everything when it returns. TENON_ERR_EXHAUSTED: the host's
   * queue for this transport is full; stop reading until transport_resume, then offer the event again. [any] */
  tenon_status (*transport_incoming)(void *context, uint64_t subscription, const tenon_message *message);
  /* The library underneath dropped `count` events of the subscription since the last call. [any] */
  void (*transport_slow_consumer)(void *context, uint64_t subscription, uint64_t count);
  /* 1: the transport cannot take more for now, send nothing; 0: send again. [any] */
  void (*transport_back_pressure)(void *context, uint32_t on);

  /* --- extensions --- */

  /* A named, revisioned interface of the host ("tenon.host.xyz/1"), valid as long as the instance, or NULL if it has
   * none of that name. [any] */
  const void *(*get_interface)(void *context, tenon_str id);

  /* --- listening sockets (a host that is older lacks them: check with TENON_HAS) --- */

  /* Asks for a stream socket that listens at the address. The keeper makes it and holds it for as long as the host
   * runs, so when the engine restarts, clients wait in its queue, and the instance that asks for the same address then
   * gets the same socket.
   *
   * `address` is "unix:///absolute/path", the path of 1 to 107 octets. The host makes its directory if that is missing,
   * guards it with PATH.lock against every other host, removes what a killed host left there, and makes the socket
   * file with mode 0600. Refused at once: TENON_ERR_INVALID_ARGUMENT for what is no such address, TENON_ERR_UNSUPPORTED
   * for another scheme ("tcp://…") or when no keeper is there, TENON_ERR_ALREADY_EXISTS when an instance of this host
   * has the address, TENON_ERR_EXHAUSTED beyond 8 of an instance or 48 of the host.
   *
   * Otherwise the callback runs exactly once, never from within this call, unless listen_release or destroy comes
   * first. `error` is NULL, or TENON_ERR_ALREADY_EXISTS (retryable: another host listens there; not retryable: a file
   * that is no socket stands there), or what the operating system refused; then `out_listener` is void.
   *
   * The descriptor belongs to the host and is valid until listen_release or destroy: it is non-blocking and
   * close-on-exec; accept from it and watch it with fd_watch, but never close it. What is accepted from it is the
   * plugin's. [loop], callback [loop] */
  tenon_status (*listen)(void *context, tenon_str address, tenon_listen_callback callback, void *argument,
                         uint64_t *out_listener);
  /* Gives the socket back, or withdraws the request: fd_watches of its descriptor end, the descriptor is closed and the
   * socket file removed; clients still in its queue are hung up on. Unknown ones are ignored. [loop] */
  void (*listen_release)(void *context, uint64_t listener);
} tenon_host;

#ifdef __cplusplus
}
#endif

#endif /* TENON_HOST_H */
