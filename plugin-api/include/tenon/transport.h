/* A transport carries events between this host and others or a broker.
 *
 * The model. An instance is one connection. The host wraps it from outside with pool, breaker and retry, so a transport
 * does one thing at a time and reports failures as they are.
 *
 *   created --connect--> connecting --> connected <--> reconnecting
 *                             |             |               |
 *                             +-------------+---------------+--> disconnected (after disconnect, or given up: error)
 *
 * The instance reports every change with host->transport_state. While reconnecting it may refuse sends (UNAVAILABLE,
 * retryable) or buffer a bounded amount; it never acknowledges what it has only buffered. Subscriptions survive
 * reconnecting without the host's help.
 *
 * Every call with a token is asynchronous: it returns at once, TENON_OK meaning "accepted, the completion follows",
 * anything else meaning "refused, no completion follows". Exactly one completion per accepted token, which may come
 * from within the call. deadline_ns is on the host's monotonic clock. The host itself waits 50 ms longer, so that a
 * plugin whose own timer runs to the deadline can say TENON_ERR_TIMEOUT and why; what comes later is dropped and
 * counted as misbehaviour. Arguments are borrowed for the call: what the instance sends later, it copies.
 *
 * Calls come on the loop; completions and reports may come from any thread, so threads of a client library never touch
 * the host's state.
 */
#ifndef TENON_TRANSPORT_H
#define TENON_TRANSPORT_H

#include "plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TENON_TRANSPORT_CONNECTING 0u
#define TENON_TRANSPORT_CONNECTED 1u
#define TENON_TRANSPORT_RECONNECTING 2u
#define TENON_TRANSPORT_DISCONNECTED 3u
#define TENON_TRANSPORT_ERROR 4u /* gave up; the host destroys it and makes another */

#define TENON_TRANSPORT_ENCODED 1u    /* sends `encoded`; the host encodes with the transport's serializer */
#define TENON_TRANSPORT_ATTRIBUTES 2u /* reads `event` (for instance to make headers of it); else that is NULL */
#define TENON_TRANSPORT_REQUESTS 4u   /* request and reply are there; else an event with `replyto` goes by send */
#define TENON_TRANSPORT_GROUPS 8u     /* subscribe honours `group` across hosts; else the host refuses such a route */

typedef struct tenon_transport_info {
  uint32_t struct_size;
  uint32_t flags;              /* TENON_TRANSPORT_… what it needs and can */
  uint64_t max_message;        /* octets of one encoded event; 0: unknown until connected */
  tenon_str default_serializer; /* "json", "msgpack": used unless the config names another */
} tenon_transport_info;

/* What the host passes at creation. */
typedef struct tenon_connection_config {
  uint32_t struct_size;
  uint32_t retry_attempts; /* the host retries; for information */
  tenon_str name;          /* of the transport in the config: "bus" */
  tenon_str url;
  uint64_t timeout_ns; /* usual deadline of a call */
} tenon_connection_config;

typedef struct tenon_transport {
  uint32_t struct_size;
  uint32_t reserved;

  /* Required. Makes an unconnected instance; no I/O. Spans of `config` are borrowed for the call, `host` is valid until
   * destroy returns. *out_self is handed back with every call and may stay NULL. On failure nothing is left behind and
   * destroy is not called. [loop] */
  tenon_status (*create)(const tenon_host *host, const tenon_connection_config *config, void **out_self,
                         tenon_error *error);
  /* Required. Ends everything at once and frees the instance. No report or completion may come once it has returned.
   * May block briefly to join the library's threads (at most 1 s). [loop] */
  void (*destroy)(void *self);
  /* Required. Spans are static or valid as long as the instance. Called after create, and again after each CONNECTED:
   * what only the remote knows (max_message) may change then, flags do not. [loop] */
  void (*describe)(void *self, tenon_transport_info *out);

  /* Required. Connects. Completes when connected, or with why not; after that the instance keeps itself connected.
   * After a failure it is as before the call, and the host tries again, later each time. [loop] */
  tenon_status (*connect)(void *self, uint64_t token, uint64_t deadline_ns, tenon_error *error);
  /* Required. Sends what is buffered, as far as the deadline allows, then disconnects. Completes with TENON_ERR_TIMEOUT
   * if something was left. [loop] */
  tenon_status (*disconnect)(void *self, uint64_t token, uint64_t deadline_ns, tenon_error *error);

  /* Required. Publishes. `settle` 0: completes when handed to the connection. 1: completes when the remote has taken it
   * (an acknowledgement, or a flush round trip behind it). [loop] */
  tenon_status (*send)(void *self, const tenon_message *message, uint32_t settle, uint64_t token, uint64_t deadline_ns,
                       tenon_error *error);
  /* Optional. Publishes and waits for the first answer; ends with host->complete_request. Nobody listening: at once
   * TENON_ERR_UNAVAILABLE. [loop] */
  tenon_status (*request)(void *self, const tenon_message *message, uint64_t token, uint64_t deadline_ns,
                          tenon_error *error);
  /* Optional. Answers an incoming message; `reply` is what came with it, and is used at most once. Completes when
   * handed to the connection: whether the asker still waits, nobody can say. After a failure the host tells the log and
   * does not try again. [loop] */
  tenon_status (*reply)(void *self, tenon_str reply, const tenon_message *message, uint64_t token, uint64_t deadline_ns,
                        tenon_error *error);

  /* Required. Wants events on topics that match the pattern (NATS subject rules: '*' one token, '>' the rest). `group`
   * absent: every event; else one member of the group gets each. `subscription` is the host's number for it, used in
   * transport_incoming. May be called before connect; then it completes at once and takes effect with the connection.
   * Completes when the remote knows it; after a failure (TENON_ERR_PERMISSION: it is not permitted) there is no such
   * subscription, and the host tells the log. [loop] */
  tenon_status (*subscribe)(void *self, uint64_t subscription, tenon_str pattern, tenon_str group, uint64_t token,
                            uint64_t deadline_ns, tenon_error *error);
  /* Required. Ends a subscription; nothing comes in on it after the completion. [loop] */
  tenon_status (*unsubscribe)(void *self, uint64_t subscription, uint64_t token, uint64_t deadline_ns,
                              tenon_error *error);

  /* Required. A round trip to the remote: completes when its answer is there. A failure shows in `tenon transports` and
   * changes nothing else, so an instance that finds its connection dead reports that as a state. [loop] */
  tenon_status (*health_check)(void *self, uint64_t token, uint64_t deadline_ns, tenon_error *error);

  /* Optional. The host has room again after TENON_ERR_EXHAUSTED from transport_incoming. [loop] */
  void (*resume)(void *self);

  /* Optional. A named, revisioned interface of the instance ("tenon.transport.durable/1"), static or valid until
   * destroy; NULL if it has none of that name. [any] */
  const void *(*get_interface)(void *self, tenon_str id);
} tenon_transport;

#ifdef __cplusplus
}
#endif

#endif /* TENON_TRANSPORT_H */
