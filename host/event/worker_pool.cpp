// How the two sides share a pool. Core is what threads and loop both touch, under one mutex; it is owned by all of
// them, so a thread that was written off can end long after the pool and the loop are gone. WorkerPoolImpl is what only
// the loop thread touches: the threads' handles, the deadlines' timers (in the records), the counters.
//
// A job's record goes queued → running → finished, or to timed_out from either of the first two. Whoever takes it to
// finished or timed_out, under the mutex, decides how `done` is told: that is how it is told exactly once.
#include "event/worker_pool.hpp"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <cassert>
#include <condition_variable>
#include <deque>
#include <exception>
#include <list>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "event/loop.hpp"

namespace tenon::event {
namespace {

class WorkerPoolImpl;

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
  RecordPtr current;         // guarded; what it runs, null between jobs
};
using WorkerPtr = std::shared_ptr<Worker>;

struct Core {
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
  WorkerPoolImpl* pool = nullptr;  // loop thread only; null once the pool is being destroyed
};
using CorePtr = std::shared_ptr<Core>;

Status run_job(WorkerPool::Job& job) noexcept {
  Status result;
  try {
    job();
  } catch (const std::exception& thrown) {
    result = Error(errc::internal, std::string("a worker job threw: ") + thrown.what() + "; report it to its author");
  } catch (...) {
    result = Error(errc::internal, "a worker job threw something that is no std::exception; report it to its author");
  }
  job = nullptr;  // what it captured dies on this thread, outside the mutex
  return result;
}

void post_delivery(const CorePtr& core);  // the mutex is held

// Ends the thread's current job. False: the thread was written off meanwhile and must end.
bool job_ended(const CorePtr& core, const WorkerPtr& self, const RecordPtr& record, Status result) {
  const std::lock_guard lock(core->mutex);
  self->current.reset();
  if (self->written_off) {
    --core->abandoned;
    return false;
  }
  --core->running;
  if (record->state == JobState::running) {
    record->state = JobState::finished;
    record->result = std::move(result);
    core->finished.push_back(record);
    if (!std::exchange(core->delivery_posted, true)) post_delivery(core);
  }
  core->progress.notify_all();
  return true;
}

RecordPtr next_job(const CorePtr& core, const WorkerPtr& self) {
  std::unique_lock lock(core->mutex);
  ++core->idle;
  core->work.wait(lock, [&] { return core->stopping || !core->queue.empty(); });
  --core->idle;
  if (core->stopping) return nullptr;
  RecordPtr record = std::move(core->queue.front());
  core->queue.pop_front();
  record->state = JobState::running;
  self->current = record;
  ++core->running;
  return record;
}

void run_exit_hooks(const CorePtr& core) noexcept {
  std::vector<std::function<void()>> hooks;
  {
    const std::lock_guard lock(core->mutex);
    hooks = core->exit_hooks;
  }
  for (const auto& hook : hooks) {
    try {
      hook();
    } catch (...) {  // a foreign library's clean-up; the thread ends either way
    }
  }
}

void worker_main(const CorePtr& core, const WorkerPtr& self) {
  ::pthread_setname_np(::pthread_self(), "tenon-worker");
  while (const RecordPtr record = next_job(core, self)) {
    Status result = run_job(record->job);
    if (!job_ended(core, self, record, std::move(result))) break;
  }
  run_exit_hooks(core);
}

class WorkerPoolImpl final : public WorkerPool {
 public:
  WorkerPoolImpl(Loop& loop, Options options);
  ~WorkerPoolImpl() override;

  Status submit(Job job, Duration deadline, Done done) override;
  void at_thread_exit(std::function<void()> hook) override;
  Counters counters() const override;

  // Tells `done` of the first finished job, of which there is one. The pool may be gone when it returns.
  void deliver_one();

 private:
  Status admit();
  bool add_thread();
  void deadline_passed(const std::weak_ptr<Record>& which);
  void write_off(Worker& worker);
  void wait_for_running(std::unique_lock<std::mutex>& lock, std::vector<RecordPtr>& overdue);

  Loop& loop_;
  const Options options_;
  const CorePtr core_ = std::make_shared<Core>();
  std::vector<WorkerPtr> workers_;  // without those written off
  std::uint64_t finished_ = 0, timed_out_ = 0, refused_ = 0;
};

void tell(Record& record, Status result) {
  record.timer.reset();
  if (const auto done = std::exchange(record.done, nullptr)) done(std::move(result));
}

Error past_deadline() {
  return Error(errc::timeout,
               "a worker job was not done by its deadline; allow it more time or find out what it waits for");
}

void deliver(const CorePtr& core) {
  std::size_t count = 0;
  {
    const std::lock_guard lock(core->mutex);
    count = core->finished.size();
  }
  // Only those that are there now: a `done` that submits a short job must not keep the loop in this callback. One by one:
  // each callback may destroy the pool, which then tells the rest itself.
  for (; count > 0 && core->pool != nullptr; --count) core->pool->deliver_one();
  if (core->pool == nullptr) return;
  const std::lock_guard lock(core->mutex);
  core->delivery_posted = !core->finished.empty();
  if (core->delivery_posted) post_delivery(core);
}

void post_delivery(const CorePtr& core) {
  core->loop->post([core] { deliver(core); });
}

WorkerPoolImpl::WorkerPoolImpl(Loop& loop, Options options) : loop_(loop), options_(options) {
  assert(options.threads >= 1 && options.threads <= 64);
  core_->loop = &loop;
  core_->pool = this;
}

Status WorkerPoolImpl::submit(Job job, Duration deadline, Done done) {
  assert(loop_.on_loop_thread());
  if (Status admitted = admit(); !admitted) {
    ++refused_;
    return admitted;
  }
  const auto record = std::make_shared<Record>();
  record->job = std::move(job);
  record->done = std::move(done);
  record->due = loop_.clock().monotonic() + std::min<Duration>(deadline, std::chrono::hours(24 * 365));
  record->timer = loop_.after(deadline, [this, which = std::weak_ptr<Record>(record)] { deadline_passed(which); });
  {
    const std::lock_guard lock(core_->mutex);
    core_->queue.push_back(record);
  }
  core_->work.notify_one();
  return {};
}

// Whether one more job may come, with a thread to run it some day.
Status WorkerPoolImpl::admit() {
  bool needs_thread = false;
  {
    const std::lock_guard lock(core_->mutex);
    if (core_->stopping)
      return Error(errc::wrong_state, "the worker pool is being destroyed; submit nothing more", fault::caller);
    if (core_->abandoned >= options_.max_abandoned) {
      return Error(errc::exhausted,
                   std::to_string(core_->abandoned) +
                       " worker threads hang in jobs past their deadline; find the job that blocks, or restart",
                   fault::host, true);
    }
    // Counted against all threads, awake or not yet, so that the answer does not depend on how fast one wakes up.
    if (core_->queue.size() + core_->running >= options_.threads + options_.max_queued) {
      return Error(errc::exhausted,
                   std::to_string(options_.max_queued) + " jobs wait for a worker thread; submit again later",
                   fault::host, true);
    }
    needs_thread = core_->queue.size() >= core_->idle;
  }
  if (needs_thread && workers_.size() < options_.threads && !add_thread() && workers_.empty())
    return Error(errc::exhausted, "no worker thread can be started; raise the limit of processes (ulimit -u)",
                 fault::host, true);
  return {};
}

bool WorkerPoolImpl::add_thread() {
  // Signals are for the loop thread: a worker inherits a mask that blocks them all.
  sigset_t all, former;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &former);
  const auto worker = std::make_shared<Worker>();
  bool started = true;
  try {
    worker->thread = std::thread(worker_main, core_, worker);
  } catch (const std::system_error&) {  // EAGAIN: the threads there are go on; the next submit tries again
    started = false;
  }
  ::pthread_sigmask(SIG_SETMASK, &former, nullptr);
  if (started) workers_.push_back(worker);
  return started;
}

void WorkerPoolImpl::deadline_passed(const std::weak_ptr<Record>& which) {
  const RecordPtr record = which.lock();
  if (!record) return;
  bool jobs_wait = false;
  {
    const std::lock_guard lock(core_->mutex);
    if (record->state == JobState::finished) return;  // it made it; its delivery is on the way
    if (record->state == JobState::queued) {
      core_->queue.remove(record);
    } else {
      const auto worker =
          std::find_if(workers_.begin(), workers_.end(), [&](const auto& each) { return each->current == record; });
      // At the limit the thread stays in the pool and comes back when its job returns: a smaller pool, not a leak.
      if (core_->abandoned < options_.max_abandoned) {
        write_off(**worker);
        workers_.erase(worker);
      }
    }
    record->state = JobState::timed_out;
    jobs_wait = core_->queue.size() > core_->idle;
  }
  if (jobs_wait && workers_.size() < options_.threads) add_thread();
  ++timed_out_;
  tell(*record, past_deadline());
}

void WorkerPoolImpl::write_off(Worker& worker) {
  worker.written_off = true;
  worker.thread.detach();
  ++core_->abandoned;
  --core_->running;
}

void WorkerPoolImpl::deliver_one() {
  RecordPtr record;
  {
    const std::lock_guard lock(core_->mutex);
    record = std::move(core_->finished.front());
    core_->finished.pop_front();
  }
  ++finished_;
  tell(*record, std::move(record->result));
}

void WorkerPoolImpl::at_thread_exit(std::function<void()> hook) {
  const std::lock_guard lock(core_->mutex);
  core_->exit_hooks.push_back(std::move(hook));
}

WorkerPool::Counters WorkerPoolImpl::counters() const {
  const std::lock_guard lock(core_->mutex);
  return {finished_, timed_out_, refused_, core_->queue.size(), core_->running, core_->abandoned};
}

// Waits until no thread of the pool is inside a job that is within its deadline; writes the others off.
void WorkerPoolImpl::wait_for_running(std::unique_lock<std::mutex>& lock, std::vector<RecordPtr>& overdue) {
  // The loop's clock may be a manual one: what is left of a deadline is waited for in real time.
  const MonotonicTime loop_now = loop_.clock().monotonic();
  const MonotonicTime began = std::chrono::steady_clock::now();
  for (const WorkerPtr& worker : workers_) {
    while (worker->current && worker->current->state == JobState::running) {
      const MonotonicTime until = began + (worker->current->due - loop_now);
      if (core_->progress.wait_until(lock, until) == std::cv_status::no_timeout) continue;
      if (!worker->current || worker->current->state != JobState::running) continue;
      worker->current->state = JobState::timed_out;
      overdue.push_back(worker->current);
    }
    if (worker->current) write_off(*worker);
  }
}

WorkerPoolImpl::~WorkerPoolImpl() {
  assert(loop_.on_loop_thread());
  core_->pool = nullptr;
  std::list<RecordPtr> withdrawn;
  std::vector<RecordPtr> overdue;
  std::deque<RecordPtr> finished;
  {
    std::unique_lock lock(core_->mutex);
    core_->stopping = true;
    withdrawn.swap(core_->queue);
    core_->work.notify_all();
    wait_for_running(lock, overdue);
  }
  for (const WorkerPtr& worker : workers_) {
    if (worker->thread.joinable()) worker->thread.join();
  }
  {
    const std::lock_guard lock(core_->mutex);
    finished.swap(core_->finished);
    core_->loop = nullptr;
  }
  for (const RecordPtr& record : finished) tell(*record, std::move(record->result));
  for (const RecordPtr& record : overdue) tell(*record, past_deadline());
  for (const RecordPtr& record : withdrawn)
    tell(*record, Error(errc::cancelled, "the worker pool ended before the job began; nothing of it was done"));
}

}  // namespace

std::unique_ptr<WorkerPool> make_worker_pool(Loop& loop, WorkerPool::Options options) {
  return std::make_unique<WorkerPoolImpl>(loop, options);
}

std::unique_ptr<WorkerPool> make_worker_pool(Loop& loop) { return make_worker_pool(loop, WorkerPool::Options{}); }

}  // namespace tenon::event
