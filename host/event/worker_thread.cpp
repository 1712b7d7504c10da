#include "event/worker_thread.hpp"

#include <pthread.h>

#include <csignal>
#include <exception>
#include <string>
#include <utility>

#include "event/alternate_stack.hpp"

namespace tenon::event::worker {
namespace {

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
  const bool work = core->work.wait_for(lock, core->idle_timeout,
                                        [&] { return core->stopping || !core->queue.empty(); });
  --core->idle;
  if (core->stopping) return nullptr;
  if (!work) {
    self->retired = true;
    return nullptr;
  }
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

// The pool's threads begin with every signal blocked, so that none that is sent to the process disturbs them. What a
// thread does to itself must reach the handlers: blocked, it would end the process without a word.
void unblock_faults() noexcept {
  sigset_t faults;
  sigemptyset(&faults);
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT}) sigaddset(&faults, number);
  ::pthread_sigmask(SIG_UNBLOCK, &faults, nullptr);
}

}  // namespace

void run_thread(const CorePtr& core, const WorkerPtr& self) {
  ::pthread_setname_np(::pthread_self(), "tenon-worker");
  const AlternateStack stack;
  unblock_faults();
  while (const RecordPtr record = next_job(core, self)) {
    Status result = run_job(record->job);
    if (!job_ended(core, self, record, std::move(result))) break;
  }
  run_exit_hooks(core);
  const std::lock_guard lock(core->mutex);
  if (self->retired && !core->stopping) post_retirement(core, self);
}

}  // namespace tenon::event::worker
