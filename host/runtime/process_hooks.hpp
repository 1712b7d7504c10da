// What the runtime asks of whoever delivers events to processes (integration), in the course of a stop.
#pragma once

#include <functional>

#include "common/clock.hpp"
#include "runtime/process_config.hpp"

namespace tenon::runtime {

class ProcessHooks {
 public:
  virtual ~ProcessHooks() = default;

  // No new deliveries to it from now on. `done` when nothing of it is in flight any more; also from within this call;
  // ignored after `deadline`, when the stop goes on without it, and when called again.
  virtual void begin_drain(const ProcessId& id, MonotonicTime deadline, std::function<void()> done) = 0;
  // Tell it to shut down over its channel, if it has one; the stop signal follows at once.
  virtual void send_shutdown(const ProcessId& id) = 0;
};

}  // namespace tenon::runtime
