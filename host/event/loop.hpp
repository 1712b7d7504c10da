// The event loop: one thread that owns the state of the engine. Everything that waits, waits here.
//
// The model. A Loop runs callbacks one after another on the thread that called run(). Watches, timers and posted
// work all end as such callbacks, so state that only they touch needs no lock. A callback must not block; what
// may block goes to a WorkerPool (worker_pool.hpp), whose result is posted back. A callback may destroy the object it
// runs in and may cancel anything, itself included: a cancelled watch or timer never fires again, even if it was
// already due in this turn. An exception that leaves a callback ends the program, with the stack of the throw intact.
//
// A turn is a bounded batch of callbacks between two looks at the kernel; no turn contains a wait, and a loop that is
// merely busy ends its turns. TurnObserver sees both edges of each; the engine stamps its hang-detection page there.
//
// Interfaces only: the implementation over Boost.Asio hides in asio_loop.cpp, a deterministic one for tests in
// fake_loop.hpp. All functions are [loop] unless tagged [any].
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "common/clock.hpp"
#include "common/result.hpp"

namespace tenon::event {

// Cancels what it stands for when destroyed or reset. Must be destroyed on the loop thread, before the Loop.
class [[nodiscard]] Handle {
 public:
  // What the loop keeps behind a handle. cancel() is called at most once.
  class Cancellable {
   public:
    virtual ~Cancellable() = default;
    virtual void cancel() noexcept = 0;
  };

  Handle() = default;
  explicit Handle(std::shared_ptr<Cancellable> target) noexcept : target_(std::move(target)) {}
  Handle(Handle&&) noexcept = default;
  Handle& operator=(Handle&& other) noexcept {
    if (this != &other) {
      reset();
      target_ = std::move(other.target_);
    }
    return *this;
  }
  ~Handle() { reset(); }

  void reset() noexcept {
    if (auto target = std::move(target_)) target->cancel();
  }
  bool active() const noexcept { return target_ != nullptr; }

 private:
  std::shared_ptr<Cancellable> target_;
};

enum class Interest : std::uint8_t { none = 0, read = 1, write = 2, read_write = 3 };

// A descriptor under watch, level-triggered as the caller sees it: on_ready runs again and again while the kernel says
// that a wanted direction is ready (an error or hang-up counts as ready in every wanted direction).
class FdWatch {
 public:
  // Takes the descriptor out of the reactor. The descriptor stays open: it belongs to the caller, who closes it after.
  virtual ~FdWatch() = default;
  // Changes what is waited for. Interest::none keeps the registration and fires nothing.
  virtual void set_interest(Interest wanted) = 0;
  virtual Interest interest() const noexcept = 0;
};

class TurnObserver {
 public:
  virtual ~TurnObserver() = default;
  virtual void turn_began() noexcept = 0;
  virtual void turn_ended() noexcept = 0;
};

class Loop {
 public:
  using Task = std::function<void()>;
  using FdCallback = std::function<void(Interest ready)>;

  virtual ~Loop() = default;

  // Runs until stop() or until nothing is left to wait for. Asserts that it is not already running.
  virtual void run() = 0;
  // [any] Ends run() after the current callback; what was due then runs in the next run(). Called while no run() is
  // active, it ends the next one at once, so that a stop from another thread is never lost.
  virtual void stop() noexcept = 0;

  // Watches fd, which must be open, pollable and not yet watched; its blocking mode stays as it is. errc::io for what
  // cannot be waited for (a regular file), already_exists if watched, invalid_argument if not open, exhausted at the
  // kernel's limit.
  virtual Result<std::unique_ptr<FdWatch>> watch(int fd, Interest wanted, FdCallback on_ready) = 0;

  // Runs the task once, no earlier than `delay` from now (negative counts as 0), on the monotonic clock.
  virtual Handle after(Duration delay, Task task) = 0;
  // Runs the task every `period` (> 0), first after one period; late ticks are skipped, not made up for.
  virtual Handle every(Duration period, Task task) = 0;

  // Runs the task in a later callback of the loop, in the order of the calls.
  virtual void post(Task task) = 0;  // [any]

  // At most one; not owned; must outlive run(). nullptr removes it.
  virtual void set_turn_observer(TurnObserver* observer) noexcept = 0;

  virtual const Clock& clock() const noexcept = 0;    // [any]
  virtual bool on_loop_thread() const noexcept = 0;   // [any] true while no run() is active too
};

// The loop over Boost.Asio's io_context.
std::unique_ptr<Loop> make_loop();

}  // namespace tenon::event
