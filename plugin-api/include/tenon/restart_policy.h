/* A restart policy decides what happens after a process has exited.
 *
 * The model. A pure function: everything it may use is in its arguments and its config; it has no clock, no random
 * numbers of its own and does no I/O, so it can be tested with a table. The host keeps the history and the supervisor's
 * intensity limit; the policy only answers "restart after n ms", "finished", "give up" or "escalate". The history
 * survives a restart of the engine, so an instance must not remember anything between calls: what it has to remember
 * goes into `memory`, four words per process that the host keeps, hands in with each call, and zeroes when an operator
 * resets the process.
 */
#ifndef TENON_RESTART_POLICY_H
#define TENON_RESTART_POLICY_H

#include "plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TENON_ENDED_CODE 0u    /* by exit; `value` is the code */
#define TENON_ENDED_SIGNAL 1u  /* by a signal; `value` is its number */
#define TENON_ENDED_SPAWN 2u   /* it never started; `value` is the errno */
#define TENON_ENDED_HEALTH 3u  /* the host killed it because a health check said so */
#define TENON_ENDED_STARTUP 4u /* the host killed it because it was not ready in time */
#define TENON_ENDED_CHANNEL 5u /* the host killed it because what it writes to its channel cannot be followed */

/* Why and when the process ended, and what came before. All times in ns. */
typedef struct tenon_exit {
  uint32_t struct_size;
  uint32_t ended; /* TENON_ENDED_… */
  int32_t value;
  uint32_t was_ready;          /* 1 if it had become ready */
  uint64_t run_time_ns;        /* from start to exit */
  uint64_t ready_time_ns;      /* from ready to exit; 0 if it never was */
  uint32_t consecutive;        /* earlier exits that the policy answered with RESTART since it last answered `reset` */
  uint32_t total_restarts;     /* since the host started or an operator reset it */
  uint64_t previous_delay_ns;  /* the delay of the last restart; 0: none or immediate */
  uint64_t random;             /* 64 uniform bits for jitter */
  uint64_t memory[4];          /* as the last call for this process left it */
} tenon_exit;

#define TENON_RESTART_RESTART 0u
#define TENON_RESTART_FINISHED 1u /* ended on purpose: the process becomes `terminated` */
#define TENON_RESTART_GIVE_UP 2u  /* a failure that is not restarted: the process becomes `error` */
#define TENON_RESTART_ESCALATE 3u /* the supervisor itself shall give up */

typedef struct tenon_restart_decision {
  uint32_t struct_size;
  uint32_t action;     /* TENON_RESTART_… */
  uint64_t delay_ns;   /* with RESTART: wait this long first; the host caps it at one day */
  uint32_t reset;      /* 1: the run was stable, `consecutive` starts again at 0 before this exit is counted */
  uint32_t text_size;  /* octets used in text */
  char text[128];      /* optional: what `tenon status` adds to the exit, the restart's number and its delay, which the
                          host tells itself: "outside working hours" */
  uint64_t memory[4];  /* what to hand in next time; the host fills it with tenon_exit's before the call */
} tenon_restart_decision;

typedef struct tenon_restart_policy {
  uint32_t struct_size;
  uint32_t reserved;

  /* Required. Makes an instance from host's config; `host` is valid until destroy returns. *out_self is handed back
   * with every call and may stay NULL. On failure nothing is left behind, destroy is not called, and the process is
   * restarted by the host's own back-off. [loop] */
  tenon_status (*create)(const tenon_host *host, void **out_self, tenon_error *error);
  /* Required. Frees the instance. [loop] */
  void (*destroy)(void *self);
  /* Required. Decides what follows an exit; called once for each, after the process and its group are gone and before
   * anything is restarted. `exit` is borrowed for the call; `out` is the host's, with action RESTART and no delay
   * unless filled. After a failure, or with an action that there is not, the host's own back-off decides, and the
   * policy's failure is told as misbehaviour. Not called for what an operator stops. [loop] */
  tenon_status (*on_exit)(void *self, const tenon_exit *exit, tenon_restart_decision *out, tenon_error *error);
  /* Optional. The process became ready, start_to_ready_ns after its start. [loop] */
  void (*on_ready)(void *self, uint64_t start_to_ready_ns, uint64_t memory[4]);
  /* Optional. An operator asked for a fresh start; the host has zeroed the history and `memory`. [loop] */
  void (*reset)(void *self, uint64_t memory[4]);
  /* Optional. A named, revisioned interface of the instance, static or valid until destroy; NULL if it has none of that
   * name. [any] */
  const void *(*get_interface)(void *self, tenon_str id);
} tenon_restart_policy;

#ifdef __cplusplus
}
#endif

#endif /* TENON_RESTART_POLICY_H */
