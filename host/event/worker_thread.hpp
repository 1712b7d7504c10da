// Private to the worker pool: what its threads and the loop both touch, and the life of one thread.
//
// Core is owned by the pool and by every thread, so a thread that was written off can end long after the pool and the
// loop are gone. Fields marked "guarded" are touched under Core::mutex only.
//
// A job's record goes queued → running → finished, or to timed_out from either of the first two. Whoever takes it to
// finished or timed_out, under the mutex, decides how `done` is told: that is how it is told exactly once.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "common/clock.hpp"
#include "common/result.hpp"
#include "event/loop.hpp"
#include "event/worker_pool.hpp"

namespace tenon::event::worker {

class Pool;  // the loop thread's side, in worker_pool.cpp

enum class JobState : std::uint8_t { queued, running, finished, timed_out };

struct Record {
  WorkerPool::Job job;      // the thread's once it runs
  WorkerPool::Done done;    // the loop's
  Handle timer;             // the loop's; reset before `done` is told
  MonotonicTime due;
  JobState state = JobState::queued;  // guarded
  Status result;                      // guarded; set with `finished`
};
using RecordPtr = std::shared_ptr<Record>;

struct Worker {
  std::thread thread;        // the loop's; not joinable once written off
  bool written_off = false;  // guarded
  bool retired = false;      // guarded; found nothing to do and ends; the loop then joins it
  RecordPtr current;         // guarded; what it runs, null between jobs
};
using WorkerPtr = std::shared_ptr<Worker>;

struct Core {  // all guarded, unless it says otherwise
  explicit Core(Duration before_a_thread_ends) : idle_timeout(before_a_thread_ends) {}
  const Duration idle_timeout;
  std::mutex mutex;
  std::condition_variable work;      // there is a job, or the pool is stopping
  std::condition_variable progress;  // a job ended; only the pool's destructor waits for it
  std::list<RecordPtr> queue;
  std::deque<RecordPtr> finished;    // their `done` is still to be told
  std::vector<std::function<void()>> exit_hooks;
  Loop* loop = nullptr;  // used under the mutex, by threads that belong to the pool: the loop outlives it
  bool stopping = false;
  bool delivery_posted = false;  // the loop will look at `finished`
  std::size_t idle = 0, running = 0, abandoned = 0;
  Pool* pool = nullptr;  // loop thread only; null once the pool is being destroyed
};
using CorePtr = std::shared_ptr<Core>;

// The body of a worker thread: runs jobs until the pool stops, the thread is written off or there is nothing to do for
// the idle timeout; then the exit hooks.
void run_thread(const CorePtr& core, const WorkerPtr& self);

// Has the loop look at `finished`. The mutex is held.
void post_delivery(const CorePtr& core);

// Has the loop join a thread that retired. The mutex is held.
void post_retirement(const CorePtr& core, const WorkerPtr& worker);

}  // namespace tenon::event::worker
