// The inside of FakePluginHost, shared by its loop (fake_plugin_host.cpp) and its service table (fake_host_table.cpp).
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <deque>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "support/fake_command.hpp"
#include "support/fake_config.hpp"
#include "support/fake_plugin_host.hpp"

namespace tenon::test_support {

// Registered callbacks; all of the loop thread but Post.
struct FakeTimer {
  std::uint64_t due, period;
  tenon_callback callback;
  void* argument;
};

struct FakeWatch {
  int fd;
  std::uint32_t interest;
  tenon_fd_callback callback;
  void* argument;
};

struct RunningCommand {
  std::unique_ptr<FakeCommand> command;
  tenon_command_callback callback;
  void* argument;
};

struct RunningWork {
  tenon_done_callback done;  // nullptr: has run
  void* argument;
  std::uint64_t deadline;
  bool begun = true;  // false: no thread was free for it
};

struct Post {
  tenon_callback callback;
  void* argument;
};

struct FakePluginHost::Impl {
  FakePluginHost* owner;
  tenon_host table;
  std::string instance, node = "node-under-test";
  FakeConfig config;
  const std::thread::id loop_thread = std::this_thread::get_id();
  std::atomic<std::uint64_t> now{3'600'000'000'000};
  unique_fd wake{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};

  // The loop thread's.
  std::uint64_t next_id = 1;
  std::map<std::uint64_t, FakeTimer> timers;
  std::map<std::uint64_t, FakeWatch> watches;
  std::map<std::uint64_t, RunningCommand> commands;
  std::map<std::uint64_t, RunningWork> works;
  std::deque<std::function<void()>> soon;  // answers that the next turn delivers
  std::vector<std::string> round_trips;
  std::vector<std::function<void(tenon_status)>> waiting_round_trips;
  std::vector<std::thread> threads;

  // Anybody's, under the lock.
  mutable std::mutex lock;
  bool retired = false;
  std::uint64_t random_state = 42;
  std::deque<Post> posts;
  std::vector<std::uint64_t> finished_work;
  std::vector<Post> thread_exit_hooks;
  tenon_status incoming_answer = TENON_OK;
  std::vector<std::string> violations;
  std::set<std::uint64_t> completed_tokens;
  std::vector<RecordedLog> logs;
  std::map<std::string, double> metrics;
  std::vector<Completion> completions;
  std::vector<CheckCompletion> checks;
  std::vector<StateReport> states;
  std::vector<RecordedMessage> incoming;
  std::map<std::uint64_t, std::uint64_t> slow_consumers;
  std::vector<std::uint32_t> back_pressure;
  std::function<void(std::uint32_t)> when_back_pressure;

  Impl(FakePluginHost* host, std::string config_text, std::string instance_name)
      : owner(host), instance(std::move(instance_name)), config(std::move(config_text)) {
    fill_table();
  }

  static Impl& of(void* context) { return *static_cast<Impl*>(context); }
  void fill_table();

  void violated(std::string what) {
    const std::lock_guard hold(lock);
    violations.push_back(std::move(what));
  }
  // At the start of every [loop] service.
  void on_loop(const char* call) {
    if (std::this_thread::get_id() != loop_thread) violated(std::string(call) + " is [loop], not for other threads");
    alive(call);
  }
  void alive(const char* call) {
    const std::lock_guard hold(lock);
    if (retired) violations.push_back(std::string(call) + " came after destroy");
  }
  void ring() const {
    const std::uint64_t one = 1;
    if (::write(wake.get(), &one, sizeof one) < 0) return;  // full: it rings already
  }
  template <class Value>
  void keep(std::vector<Value>& records, Value value) {
    {
      const std::lock_guard hold(lock);
      records.push_back(std::move(value));
    }
    ring();
  }
  // Every accepted token is answered once.
  void complete_token(const char* call, std::uint64_t token) {
    alive(call);
    const std::lock_guard hold(lock);
    if (!completed_tokens.insert(token).second)
      violations.push_back(std::string(call) + ": token " + std::to_string(token) + " was completed twice");
  }

  tenon_status start_work(tenon_callback work, tenon_done_callback done, void* argument, std::uint64_t deadline);
  tenon_status start_command(const tenon_command* command, tenon_command_callback callback, void* argument,
                             std::uint64_t* out_command);
  void end_command(std::uint64_t id);
  void end_work(std::uint64_t id, tenon_status how);
  bool fire_next_due(std::uint64_t until);
  void deliver();
  void poll_descriptors(int wait_ms);
  void retire();
};

}  // namespace tenon::test_support
