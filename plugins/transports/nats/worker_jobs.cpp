#include "worker_jobs.hpp"

#include <utility>

namespace tenon::nats {

// Never destroyed: a worker may look into it while the process ends.
WorkerJobs::Table& WorkerJobs::table() {
  static Table* const table = new Table;
  return *table;
}

WorkerJobs::~WorkerJobs() {
  std::vector<std::shared_ptr<Job>> dropped;  // freed without the lock: their captures may be large
  const std::lock_guard lock(table().mutex);
  for (const std::uintptr_t number : numbers_) {
    const auto found = table().jobs.find(number);
    if (found == table().jobs.end()) continue;
    dropped.push_back(std::move(found->second));
    table().jobs.erase(found);
  }
}

std::shared_ptr<WorkerJobs::Job> WorkerJobs::find(void* number, bool take) {
  const std::lock_guard lock(table().mutex);
  const auto found = table().jobs.find(reinterpret_cast<std::uintptr_t>(number));
  if (found == table().jobs.end()) return nullptr;
  auto job = found->second;
  if (take) table().jobs.erase(found);
  return job;
}

void WorkerJobs::run(void* number) noexcept {
  if (const auto job = find(number, false)) {
    auto work = std::exchange(job->work, nullptr);
    sdk::guarded_void(work);
  }
  release_thread_memory();
}

void WorkerJobs::finish(void* number, tenon_status status) noexcept {
  const auto job = find(number, true);
  if (!job) return;
  job->owner->numbers_.erase(reinterpret_cast<std::uintptr_t>(number));
  sdk::guarded_void([&] { job->done(status); });
}

void WorkerJobs::start(std::uint64_t deadline_ns, std::function<void()> work, std::function<void(tenon_status)> done) {
  auto job = std::make_shared<Job>(Job{std::move(work), std::move(done), this});
  std::uintptr_t number = 0;
  {
    const std::lock_guard lock(table().mutex);
    number = table().next++;
    table().jobs.emplace(number, std::move(job));
  }
  void* const argument = reinterpret_cast<void*>(number);  // a number, never dereferenced
  const tenon_status status =
      host_.raw()->run_on_worker(host_.raw()->context, &WorkerJobs::run, &WorkerJobs::finish, argument, deadline_ns);
  if (status == TENON_OK) {
    numbers_.insert(number);
    return;
  }
  find(argument, true);
  throw sdk::Error(status, "the host has no worker thread free; try again", TENON_FAULT_HOST, true);
}

}  // namespace tenon::nats
