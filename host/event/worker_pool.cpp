// The loop thread's side of the pool: admission, deadlines, delivery, the threads' handles and the end of it all.
#include "event/worker_pool.hpp"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <cassert>
#include <string>
#include <system_error>
#include <utility>

#include "event/worker_thread.hpp"

namespace tenon::event {
namespace worker {

class Pool final : public WorkerPool {
 public:
  Pool(Loop& loop, Options options);
  ~Pool() override;

  Status submit(Job job, Duration deadline, Done done) override;
  void hurry() noexcept override { hurried_ = true; }
  void at_thread_exit(std::function<void()> hook) override;
  Counters counters() const override;

  // Tells `done` of the first finished job, of which there is one. The pool may be gone when it returns.
  void deliver_one();
  // Joins a thread that found nothing to do, and replaces it if jobs came while it ended.
  void retire(const WorkerPtr& worker);

 private:
  Status admit();
  bool add_thread();
  void deadline_passed(const std::weak_ptr<Record>& which);
  void write_off(Worker& worker);
  void wait_for_running(std::unique_lock<std::mutex>& lock, std::vector<RecordPtr>& overdue);

  Loop& loop_;
  const Options options_;
  const CorePtr core_;
  std::vector<WorkerPtr> workers_;  // without those written off
  std::uint64_t finished_ = 0, timed_out_ = 0, refused_ = 0, never_begun_ = 0;
  bool hurried_ = false;
};

namespace {

void tell(Record& record, Status result) {
  record.timer.reset();
  if (const auto done = std::exchange(record.done, nullptr)) done(std::move(result));
}

Error past_deadline() {
  return Error(errc::timeout,
               "a worker job was not done by its deadline; allow it more time or find out what it waits for");
}

Error never_begun(std::size_t threads) {
  return Error(errc::exhausted,
               "no worker thread was free before the deadline (" + std::to_string(threads) +
                   " are busy); find out what the jobs wait for, or let them start less often",
               fault::host, true);
}

void deliver(const CorePtr& core) {
  std::size_t count = 0;
  {
    const std::lock_guard lock(core->mutex);
    count = core->finished.size();
  }
  // Only those that are there now: a `done` that submits a short job must not keep the loop in this callback. One by
  // one: each callback may destroy the pool, which then tells the rest itself.
  for (; count > 0 && core->pool != nullptr; --count) core->pool->deliver_one();
  if (core->pool == nullptr) return;
  const std::lock_guard lock(core->mutex);
  core->delivery_posted = !core->finished.empty();
  if (core->delivery_posted) post_delivery(core);
}

}  // namespace

void post_delivery(const CorePtr& core) {
  core->loop->post([core] { deliver(core); });
}

void post_retirement(const CorePtr& core, const WorkerPtr& worker) {
  core->loop->post([core, worker] {
    if (core->pool != nullptr) core->pool->retire(worker);
  });
}

Pool::Pool(Loop& loop, Options options)
    : loop_(loop), options_(options), core_(std::make_shared<Core>(options.idle_timeout)) {
  assert(options.threads >= 1 && options.threads <= 64 && options.idle_timeout > Duration::zero());
  core_->loop = &loop;
  core_->pool = this;
}

Status Pool::submit(Job job, Duration deadline, Done done) {
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
Status Pool::admit() {
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

bool Pool::add_thread() {
  // Signals are for the loop thread: a worker inherits a mask that blocks them all.
  sigset_t all, former;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &former);
  const auto worker = std::make_shared<Worker>();
  bool started = true;
  try {
    worker->thread = std::thread(run_thread, core_, worker);
  } catch (const std::system_error&) {  // EAGAIN: the threads there are go on; the next submit tries again
    started = false;
  }
  ::pthread_sigmask(SIG_SETMASK, &former, nullptr);
  if (started) workers_.push_back(worker);
  return started;
}

void Pool::deadline_passed(const std::weak_ptr<Record>& which) {
  const RecordPtr record = which.lock();
  if (!record) return;
  bool jobs_wait = false, began = true;
  {
    const std::lock_guard lock(core_->mutex);
    if (record->state == JobState::finished) return;  // it made it; its delivery is on the way
    if (record->state == JobState::queued) {
      core_->queue.remove(record);
      began = false;
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
  ++(began ? timed_out_ : never_begun_);
  tell(*record, began ? past_deadline() : never_begun(workers_.size()));
}

void Pool::retire(const WorkerPtr& worker) {
  worker->thread.join();  // it has nothing left to do but to return
  std::erase(workers_, worker);
  bool jobs_wait = false;
  {
    const std::lock_guard lock(core_->mutex);
    jobs_wait = core_->queue.size() > core_->idle;
  }
  if (jobs_wait && workers_.size() < options_.threads) add_thread();
}

void Pool::write_off(Worker& worker) {
  worker.written_off = true;
  worker.thread.detach();
  ++core_->abandoned;
  --core_->running;
}

void Pool::deliver_one() {
  RecordPtr record;
  {
    const std::lock_guard lock(core_->mutex);
    record = std::move(core_->finished.front());
    core_->finished.pop_front();
  }
  ++finished_;
  tell(*record, std::move(record->result));
}

void Pool::at_thread_exit(std::function<void()> hook) {
  const std::lock_guard lock(core_->mutex);
  core_->exit_hooks.push_back(std::move(hook));
}

WorkerPool::Counters Pool::counters() const {
  const std::lock_guard lock(core_->mutex);
  return {finished_,      timed_out_,           refused_,      never_begun_, core_->queue.size(),
          core_->running, core_->abandoned, workers_.size()};
}

// Waits until no thread of the pool is inside a job that is within its deadline; writes the others off.
void Pool::wait_for_running(std::unique_lock<std::mutex>& lock, std::vector<RecordPtr>& overdue) {
  // The loop's clock may be a manual one: what is left of a deadline is waited for in real time.
  const MonotonicTime loop_now = loop_.clock().monotonic();
  const MonotonicTime began = std::chrono::steady_clock::now();
  for (const WorkerPtr& worker : workers_) {
    while (worker->current && worker->current->state == JobState::running) {
      const MonotonicTime until = hurried_ ? began : began + (worker->current->due - loop_now);
      if (core_->progress.wait_until(lock, until) == std::cv_status::no_timeout) continue;
      if (!worker->current || worker->current->state != JobState::running) continue;
      worker->current->state = JobState::timed_out;
      overdue.push_back(worker->current);
    }
    if (worker->current) write_off(*worker);
  }
}

Pool::~Pool() {
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

}  // namespace worker

std::unique_ptr<WorkerPool> make_worker_pool(Loop& loop, WorkerPool::Options options) {
  return std::make_unique<worker::Pool>(loop, options);
}

std::unique_ptr<WorkerPool> make_worker_pool(Loop& loop) { return make_worker_pool(loop, WorkerPool::Options{}); }

}  // namespace tenon::event
