// Threads for what may block: plugin calls tagged [worker], hashing, DNS, large validations.
//
// The model. A job runs on one of a bounded number of threads; its `done` runs on the loop thread, exactly once, with
// how it ended. A job that is still running at its deadline is reported as timed out at once, its thread is written off
// (it ends by itself whenever the job returns) and replaced, so that a hung job costs a thread and never a place in the
// queue. The number of written-off threads is bounded by `max_abandoned`; beyond it new jobs are refused
// (errc::exhausted) rather than queued behind hung ones, and a thread that hangs then is not replaced but comes back
// when its job returns. Late results of timed-out jobs are dropped.
//
// Destruction waits for jobs that are within their deadline (unless hurried) and never for written-off ones; it tells
// every `done` that is still owed (errc::cancelled for jobs that had not begun). A process that ends while threads are
// written off should leave by _exit: they still run while its statics die.
//
// A thread starts when a job finds none idle, and ends when it found nothing to do for `idle_timeout`: a pool that is
// not used costs nothing, and a few slow jobs do not hold up the others. When all threads are busy jobs wait; one that
// no thread began by its deadline is told errc::exhausted, which says nothing about what it would have found.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "common/clock.hpp"
#include "common/result.hpp"

namespace tenon::event {

class Loop;

class WorkerPool {
 public:
  struct Options {
    std::size_t threads = 16;          // 1 … 64 that run jobs at once
    std::size_t max_queued = 4096;     // jobs that wait for a thread
    std::size_t max_abandoned = 64;    // threads stuck in jobs past their deadline
    Duration idle_timeout = std::chrono::seconds(30);  // in real time; > 0
  };
  struct Counters {
    std::uint64_t finished = 0, timed_out = 0, refused = 0, never_begun = 0;
    std::size_t queued = 0, running = 0, abandoned = 0;
    std::size_t threads = 0;  // busy or idle, without those abandoned
  };
  using Job = std::function<void()>;
  using Done = std::function<void(Status)>;

  virtual ~WorkerPool() = default;
  // [loop] The process is about to end: the destructor waits for no job any more, it writes them off.
  virtual void hurry() noexcept = 0;

  // [loop] Queues the job. `deadline` counts from now, waiting in the queue included. What a job throws becomes
  // errc::internal in `done`, a deadline passed in the job errc::timeout, one passed in the queue errc::exhausted: then
  // the job does not run any more. Returns errc::exhausted, without calling `done`, when
  // the queue is full, too many threads are written off or none can be started; errc::wrong_state from a `done` that
  // the destructor calls. The job's captures die on the worker thread, those of `done` on the loop thread.
  virtual Status submit(Job job, Duration deadline, Done done) = 0;

  // [loop] Runs `hook` on every worker thread when it ends, written-off threads included (nats.c wants its per-thread
  // memory released). Stays registered for the life of the pool.
  virtual void at_thread_exit(std::function<void()> hook) = 0;

  virtual Counters counters() const = 0;  // [loop]
};

std::unique_ptr<WorkerPool> make_worker_pool(Loop& loop, WorkerPool::Options options);
std::unique_ptr<WorkerPool> make_worker_pool(Loop& loop);

}  // namespace tenon::event
