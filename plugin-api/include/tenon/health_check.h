/* A health check looks at one process and says how it is.
 *
 * The model. The host makes one instance per process and check, tells it about each new incarnation with start, and
 * asks with check as often as the config says. It owns interval, timeout, start period and thresholds; the plugin only
 * answers one question. A check is asynchronous and has a deadline: when it passes, the host counts a timeout (not a
 * failure), calls cancel, and drops the late answer; one that comes more than 50 ms after cancel counts as
 * misbehaviour. At most one check of an instance is under way.
 */
#ifndef TENON_HEALTH_CHECK_H
#define TENON_HEALTH_CHECK_H

#include "plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tenon_health_target {
  uint32_t struct_size;
  int32_t pid;
  tenon_str process_id;   /* "counter.1" */
  uint64_t generation;    /* counts the incarnations of this process */
  uint64_t started_ns;    /* monotonic */
  uint32_t endpoint_count;
  uint32_t reserved;
  const tenon_str *endpoints; /* what the process listens on, "tcp://127.0.0.1:80". Hosts of version 1.0 know none: a
                                 check takes addresses from its own config as well */
  uint64_t interval_ns;       /* how often the host asks; 0: not known */
} tenon_health_target;

typedef struct tenon_health_check {
  uint32_t struct_size;
  uint32_t reserved;

  /* Required. Makes an instance from host's config; `host` is valid until destroy returns. *out_self is handed back
   * with every call and may stay NULL. On failure nothing is left behind, destroy is not called; the process runs
   * without this check, which is told as misbehaviour and tried again. [loop] */
  tenon_status (*create)(const tenon_host *host, void **out_self, tenon_error *error);
  /* Required. Cancels what is under way and frees the instance. [loop] */
  void (*destroy)(void *self);
  /* Required. A new incarnation of the process runs. The target is borrowed for the call. After a failure the host
   * does not check until a later try of start succeeds, and tells so. [loop] */
  tenon_status (*start)(void *self, const tenon_health_target *target, tenon_error *error);
  /* Required. Looks once. TENON_OK: accepted, ends with host->complete_check(token, …), also from within this call.
   * Anything else: refused, no completion follows; the host counts it as unhealthy with the error's text, but not at
   * all if it is TENON_ERR_EXHAUSTED with TENON_FAULT_HOST: then nothing was learnt about the process. [loop] */
  tenon_status (*check)(void *self, uint64_t token, uint64_t deadline_ns, tenon_error *error);
  /* Optional. The check under way is not wanted any more: free what it holds (kill its command, close its socket).
   * [loop] */
  void (*cancel)(void *self);
  /* Required. The incarnation is over. [loop] */
  void (*stop)(void *self);
  /* Optional. A named, revisioned interface of the instance, static or valid until destroy; NULL if it has none of that
   * name. [any] */
  const void *(*get_interface)(void *self, tenon_str id);
} tenon_health_check;

#ifdef __cplusplus
}
#endif

#endif /* TENON_HEALTH_CHECK_H */
