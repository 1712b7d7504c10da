/* A health check looks at one process and says how it is.
 *
 * The model. The host makes one instance per process and check, tells it about each new incarnation with start, and
 * asks with check as often as the config says. It owns interval, timeout, start period and thresholds; the plugin only
 * answers one question. A check is asynchronous and has a deadline: when it passes, the host counts a timeout (not a
 * failure), calls cancel, and drops the late answer. At most one check of an instance is under way.
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
  const tenon_str *endpoints; /* what the config says the process listens on, "tcp://127.0.0.1:80"; may be empty */
} tenon_health_target;

typedef struct tenon_health_check {
  uint32_t struct_size;
  uint32_t reserved;

  /* Required. Makes an instance from host's config. [loop] */
  tenon_status (*create)(const tenon_host *host, void **out_self, tenon_error *error);
  /* Required. Cancels what is under way and frees the instance. [loop] */
  void (*destroy)(void *self);
  /* Required. A new incarnation of the process runs. The target is borrowed for the call. [loop] */
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
  /* Optional. A named, revisioned interface of the instance, or NULL. [any] */
  const void *(*get_interface)(void *self, tenon_str id);
} tenon_health_check;

#ifdef __cplusplus
}
#endif

#endif /* TENON_HEALTH_CHECK_H */
