// Blocking work on the host's worker threads whose captures neither leak nor dangle when the instance is destroyed.
//
// The model. The host gets a number, not a pointer; the number leads to the job for as long as the job is wanted. When
// the instance is destroyed its numbers lead nowhere: work that had not begun never does, and `done` never runs. Work
// that is running holds its own job and finishes by itself; it must therefore own (shared_ptr) all that it touches.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <tenon/sdk/host.hpp>
#include <unordered_map>

#include "library.hpp"

namespace tenon::nats {

class WorkerJobs {
 public:
  explicit WorkerJobs(sdk::Host host) : host_(host) {}
  ~WorkerJobs();
  WorkerJobs(const WorkerJobs&) = delete;
  WorkerJobs& operator=(const WorkerJobs&) = delete;

  // Runs `work` on a worker, then `done` on the loop. Throws if the host refuses. [loop]
  void start(std::uint64_t deadline_ns, std::function<void()> work, std::function<void(tenon_status)> done);

 private:
  struct Job {
    std::function<void()> work;
    std::function<void(tenon_status)> done;
    WorkerJobs* owner;
  };
  struct Table {
    std::mutex mutex;
    std::unordered_map<std::uintptr_t, std::shared_ptr<Job>> jobs;
    std::uintptr_t next = 1;
  };
  static Table& table();
  static std::shared_ptr<Job> find(void* number, bool take);
  static void run(void* number) noexcept;
  static void finish(void* number, tenon_status status) noexcept;

  sdk::Host host_;
  std::set<std::uintptr_t> numbers_;
};

}  // namespace tenon::nats
