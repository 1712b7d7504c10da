// The host's services as C++: a copyable view of one instance's `const tenon_host *`.
//
// Threads and meanings are those of host.h. Timers, watches and commands are objects that cancel themselves; they must
// not outlive the instance. Callbacks may throw: what they throw is logged as an error of the instance.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "../host.h"
#include "error.hpp"

namespace tenon::sdk {

class Host;

namespace detail {

// A callback that the host calls by function pointer. What it throws is logged.
struct Callback {
  const tenon_host* host;
  std::function<void()> run;
  static void call(void* argument) noexcept;
};

// One run_on_worker or run_command that the host has not answered yet.
struct PendingCall {
  const tenon_host* host = nullptr;
  virtual ~PendingCall() = default;
};

// The calls under way of all instances of this plugin, by number. The host gets the number as its `argument`, never an
// address: an answer that comes late, twice, or after its instance was destroyed finds nothing, and a call that is
// never answered is freed with its instance. [any]
class PendingCalls {
 public:
  static PendingCalls& all() {
    static auto* calls = new PendingCalls;  // never destroyed: a written-off worker thread may outlive main()
    return *calls;
  }
  void* add(std::shared_ptr<PendingCall> call) {
    const std::lock_guard hold(lock_);
    calls_.emplace(++last_, std::move(call));
    return reinterpret_cast<void*>(last_);
  }
  std::shared_ptr<PendingCall> find(void* argument) {
    const std::lock_guard hold(lock_);
    const auto found = calls_.find(reinterpret_cast<std::uintptr_t>(argument));
    return found == calls_.end() ? nullptr : found->second;
  }
  std::shared_ptr<PendingCall> take(void* argument) {
    const std::lock_guard hold(lock_);
    auto node = calls_.extract(reinterpret_cast<std::uintptr_t>(argument));
    return node.empty() ? nullptr : std::move(node.mapped());
  }
  void forget(const tenon_host* host) {
    std::vector<std::shared_ptr<PendingCall>> forgotten;  // destroyed without the lock: captures may do anything
    const std::lock_guard hold(lock_);
    for (auto at = calls_.begin(); at != calls_.end();) {
      if (at->second->host != host) ++at;
      else forgotten.push_back(std::move(at->second)), at = calls_.erase(at);
    }
  }

 private:
  std::mutex lock_;
  std::uintptr_t last_ = 0;
  std::unordered_map<std::uintptr_t, std::shared_ptr<PendingCall>> calls_;
};

// Frees what the host will never answer when its instance goes, also when its constructor throws.
struct ForgetCalls {
  const tenon_host* host;
  explicit ForgetCalls(const tenon_host* owner) noexcept : host(owner) {}
  ForgetCalls(const ForgetCalls&) = delete;
  ForgetCalls& operator=(const ForgetCalls&) = delete;
  ~ForgetCalls() { PendingCalls::all().forget(host); }
};

// What a kind's table makes of an author's class: the object, and after it whatever it left under way.
template <class Object>
struct Instance {
  ForgetCalls forget;
  Object object;
  template <class... Arguments>
  explicit Instance(const tenon_host* host, Arguments&&... arguments)
      : forget(host), object(std::forward<Arguments>(arguments)...) {}
};

}  // namespace detail

// Cancels its timer when destroyed.
class Timer {
 public:
  Timer() = default;
  Timer(Timer&&) noexcept = default;
  Timer& operator=(Timer&& other) noexcept {
    cancel();
    host_ = other.host_, id_ = other.id_, callback_ = std::move(other.callback_);
    return *this;
  }
  ~Timer() { cancel(); }
  void cancel() noexcept {
    if (callback_ == nullptr) return;
    host_->timer_cancel(host_->context, id_);
    callback_.reset();
  }

 private:
  friend class Host;
  const tenon_host* host_ = nullptr;
  std::uint64_t id_ = 0;
  std::unique_ptr<detail::Callback> callback_;
};

// Stops watching when destroyed; the descriptor stays the plugin's.
class FdWatch {
 public:
  FdWatch() = default;
  FdWatch(FdWatch&&) noexcept = default;
  FdWatch& operator=(FdWatch&& other) noexcept {
    stop();
    host_ = other.host_, id_ = other.id_, callback_ = std::move(other.callback_);
    return *this;
  }
  ~FdWatch() { stop(); }
  void stop() noexcept {
    if (callback_ == nullptr) return;
    host_->fd_unwatch(host_->context, id_);
    callback_.reset();
  }
  void set_interest(std::uint32_t interest) {
    if (callback_ != nullptr) host_->fd_interest(host_->context, id_, interest);
  }

 private:
  friend class Host;
  struct State {
    const tenon_host* host;
    std::function<void(std::uint32_t)> run;
    static void call(void* argument, std::uint32_t ready) noexcept;
  };
  const tenon_host* host_ = nullptr;
  std::uint64_t id_ = 0;
  std::unique_ptr<State> callback_;
};

// A command under way. Kills it when cancelled or destroyed: its `done` does not run then. Nothing once it has ended.
class Command {
 public:
  Command() = default;
  Command(Command&& other) noexcept
      : host_(other.host_), id_(other.id_), pending_(std::exchange(other.pending_, nullptr)) {}
  Command& operator=(Command&& other) noexcept {
    if (this == &other) return *this;
    cancel();
    host_ = other.host_, id_ = other.id_, pending_ = std::exchange(other.pending_, nullptr);
    return *this;
  }
  ~Command() { cancel(); }
  void cancel() noexcept {
    if (pending_ == nullptr) return;
    // Who has taken the call away has answered it; the host knows the command no more.
    const auto taken = detail::PendingCalls::all().take(std::exchange(pending_, nullptr));
    if (taken != nullptr) host_->command_cancel(host_->context, id_);
  }

 private:
  friend class Host;
  const tenon_host* host_ = nullptr;
  std::uint64_t id_ = 0;
  void* pending_ = nullptr;  // its number in PendingCalls; nullptr: no command
};

struct CommandResult {
  std::uint32_t ended;  // TENON_EXIT_…
  std::int32_t value;
  std::string output;
  bool output_truncated;
  std::uint64_t duration_ns;
};

class Host {
 public:
  explicit Host(const tenon_host* host) noexcept : host_(host) {}
  const tenon_host* raw() const noexcept { return host_; }

  std::string_view instance_name() const noexcept { return from_abi(host_->instance_name(host_->context)); }
  std::string_view node() const noexcept { return from_abi(host_->node(host_->context)); }
  void log(std::uint32_t level, std::string_view text) const noexcept {
    host_->log(host_->context, level, to_abi(text));
  }
  void count(std::string_view name, double by = 1) const noexcept {
    host_->metric(host_->context, to_abi(name), TENON_METRIC_COUNTER, by);
  }
  void gauge(std::string_view name, double value) const noexcept {
    host_->metric(host_->context, to_abi(name), TENON_METRIC_GAUGE, value);
  }

  // Config values by JSON pointer. Absent: the fallback. Of another type than the schema promised: Error.
  std::string_view config_json() const noexcept { return from_abi(host_->config_json(host_->context)); }
  std::string config_string(std::string_view pointer, std::string_view fallback = {}) const {
    tenon_str value = to_abi(fallback);
    read(pointer, host_->config_string(host_->context, to_abi(pointer), &value));
    return std::string(from_abi(value));
  }
  std::int64_t config_integer(std::string_view pointer, std::int64_t fallback) const {
    read(pointer, host_->config_integer(host_->context, to_abi(pointer), &fallback));
    return fallback;
  }
  double config_number(std::string_view pointer, double fallback) const {
    read(pointer, host_->config_number(host_->context, to_abi(pointer), &fallback));
    return fallback;
  }
  bool config_boolean(std::string_view pointer, bool fallback) const {
    std::uint32_t value = fallback ? 1 : 0;
    read(pointer, host_->config_boolean(host_->context, to_abi(pointer), &value));
    return value != 0;
  }
  std::uint64_t config_duration_ns(std::string_view pointer, std::uint64_t fallback) const {
    read(pointer, host_->config_duration(host_->context, to_abi(pointer), &fallback));
    return fallback;
  }
  std::uint64_t config_size(std::string_view pointer, std::uint64_t fallback) const {
    read(pointer, host_->config_size(host_->context, to_abi(pointer), &fallback));
    return fallback;
  }
  std::size_t config_count(std::string_view pointer) const {
    std::size_t count = 0;
    read(pointer, host_->config_count(host_->context, to_abi(pointer), &count));
    return count;
  }
  // The names of an object's members, in the order of the config; none if it is absent.
  std::vector<std::string> config_keys(std::string_view pointer) const {
    std::vector<std::string> names;
    tenon_str name;
    for (;;) {
      const tenon_status status = host_->config_key(host_->context, to_abi(pointer), names.size(), &name);
      read(pointer, status);
      if (status != TENON_OK) return names;
      names.emplace_back(from_abi(name));
    }
  }
  // A member's name as a part of a pointer (RFC 6901, section 3): "/env/" + pointer_token(name).
  static std::string pointer_token(std::string_view name) {
    std::string token;
    for (const char c : name) {
      if (c == '~') token += "~0";
      else if (c == '/') token += "~1";
      else token += c;
    }
    return token;
  }

  std::uint64_t monotonic_ns() const noexcept { return host_->monotonic_ns(host_->context); }
  std::uint64_t wall_ns() const noexcept { return host_->wall_ns(host_->context); }
  std::uint64_t random() const noexcept { return host_->random(host_->context); }

  // Runs `callback` after delay_ns, then every period_ns if that is not 0. [loop]
  Timer start_timer(std::uint64_t delay_ns, std::uint64_t period_ns, std::function<void()> callback) const;
  // Watches a descriptor; `interest` is a set of TENON_FD_…. [loop]
  FdWatch watch(int fd, std::uint32_t interest, std::function<void(std::uint32_t ready)> callback) const;
  // Runs `work` on a worker thread, then `done` on the loop. What `work` uses must be kept alive by its captures
  // (shared_ptr): after a timeout it may still run while the instance is long gone. `done` may use the instance: it
  // never runs once that is destroyed. [loop]
  void run_on_worker(std::uint64_t deadline_ns, std::function<void()> work,
                     std::function<void(tenon_status)> done) const;
  // Runs a command to its end through the keeper; it is killed when what this returns goes. Never calls `done` before
  // it returns. [loop]
  [[nodiscard]] Command run_command(const std::vector<std::string>& arguments,
                                    const std::vector<std::string>& environment, std::string_view directory,
                                    std::uint32_t output_limit, std::uint64_t deadline_ns,
                                    std::function<void(const CommandResult&)> done) const;

  void complete(std::uint64_t token) const noexcept { host_->complete(host_->context, token, nullptr); }
  void complete(std::uint64_t token, tenon_status code, std::string_view text, std::uint32_t fault,
                bool retryable) const noexcept {
    tenon_error error;
    TENON_INIT(&error);
    fill(error, code, text, fault, retryable);
    host_->complete(host_->context, token, &error);
  }
  void complete_check(std::uint64_t token, std::uint32_t health, std::string_view reason = {},
                      std::uint64_t latency_ns = 0) const noexcept {
    tenon_health_result result;
    TENON_INIT(&result);
    result.health = health;
    result.reason = to_abi(reason);
    result.latency_ns = latency_ns;
    host_->complete_check(host_->context, token, &result, nullptr);
  }

 private:
  void read(std::string_view pointer, tenon_status status) const {
    if (status == TENON_OK || status == TENON_ERR_NOT_FOUND) return;
    throw Error(status,
                "config value " + std::string(pointer) + " has another type than the component's schema promises",
                TENON_FAULT_PLUGIN);
  }
  static void check(tenon_status status, const char* what) {
    if (status != TENON_OK) throw Error(status, std::string("the host refused ") + what, TENON_FAULT_HOST, true);
  }
  const tenon_host* host_;
};

namespace detail {

inline void log_thrown(const tenon_host* host) noexcept {
  try {
    throw;
  } catch (const std::exception& e) {
    host->log(host->context, TENON_LOG_ERROR, to_abi(std::string("callback failed: ") + e.what()));
  } catch (...) {
    host->log(host->context, TENON_LOG_ERROR, to_abi("callback failed with an exception of unknown type"));
  }
}

inline void Callback::call(void* argument) noexcept {
  auto* self = static_cast<Callback*>(argument);
  const tenon_host* host = self->host;
  try {
    auto run = self->run;  // a callback may cancel, and so destroy, itself
    run();
  } catch (...) {
    log_thrown(host);
  }
}

}  // namespace detail

inline void FdWatch::State::call(void* argument, std::uint32_t ready) noexcept {
  auto* self = static_cast<State*>(argument);
  const tenon_host* host = self->host;
  try {
    auto run = self->run;
    run(ready);
  } catch (...) {
    detail::log_thrown(host);
  }
}

inline Timer Host::start_timer(std::uint64_t delay_ns, std::uint64_t period_ns, std::function<void()> callback) const {
  Timer timer;
  auto state = std::make_unique<detail::Callback>(detail::Callback{host_, std::move(callback)});
  check(host_->timer_start(host_->context, delay_ns, period_ns, &detail::Callback::call, state.get(), &timer.id_),
        "a timer");
  timer.host_ = host_;
  timer.callback_ = std::move(state);
  return timer;
}

inline FdWatch Host::watch(int fd, std::uint32_t interest, std::function<void(std::uint32_t)> callback) const {
  FdWatch watch;
  auto state = std::make_unique<FdWatch::State>(FdWatch::State{host_, std::move(callback)});
  check(host_->fd_watch(host_->context, fd, interest, &FdWatch::State::call, state.get(), &watch.id_),
        "a descriptor watch");
  watch.host_ = host_;
  watch.callback_ = std::move(state);
  return watch;
}

inline Command Host::run_command(const std::vector<std::string>& arguments, const std::vector<std::string>& environment,
                                 std::string_view directory, std::uint32_t output_limit, std::uint64_t deadline_ns,
                                 std::function<void(const CommandResult&)> done) const {
  struct Pending final : detail::PendingCall {
    std::function<void(const CommandResult&)> done;
    static void call(void* argument, const tenon_command_result* result) noexcept {
      const auto taken = detail::PendingCalls::all().take(argument);
      if (taken == nullptr) return;
      auto* self = static_cast<Pending*>(taken.get());
      try {
        self->done(CommandResult{result->ended, result->value,
                                 std::string(reinterpret_cast<const char*>(result->output.data), result->output.size),
                                 result->output_truncated != 0, result->duration_ns});
      } catch (...) {
        detail::log_thrown(self->host);
      }
    }
  };
  std::vector<tenon_str> argv, env;
  for (const auto& text : arguments) argv.push_back(to_abi(text));
  for (const auto& text : environment) env.push_back(to_abi(text));
  tenon_command command;
  TENON_INIT(&command);
  command.arguments = argv.data();
  command.argument_count = static_cast<std::uint32_t>(argv.size());
  command.environment = env.data();
  command.environment_count = static_cast<std::uint32_t>(env.size());
  command.output_limit = output_limit;
  if (!directory.empty()) command.directory = to_abi(directory);
  command.deadline_ns = deadline_ns;
  auto pending = std::make_shared<Pending>();
  pending->host = host_;
  pending->done = std::move(done);
  void* const argument = detail::PendingCalls::all().add(std::move(pending));
  Command running;
  const tenon_status status = host_->run_command(host_->context, &command, &Pending::call, argument, &running.id_);
  if (status != TENON_OK) detail::PendingCalls::all().take(argument);
  check(status, "a command");
  running.host_ = host_;
  running.pending_ = argument;
  return running;
}

inline void Host::run_on_worker(std::uint64_t deadline_ns, std::function<void()> work,
                                std::function<void(tenon_status)> done) const {
  struct Pending final : detail::PendingCall {
    std::function<void()> work;
    std::function<void(tenon_status)> done;
    static void run(void* argument) noexcept {
      auto found = detail::PendingCalls::all().find(argument);
      if (found == nullptr) return;  // timed out or destroyed before a thread was free
      const auto job = std::move(static_cast<Pending*>(found.get())->work);
      found.reset();      // `done` and what it captured stay with the loop
      guarded_void(job);  // not logged: the instance may be gone by now
    }
    static void finish(void* argument, tenon_status status) noexcept {
      const auto taken = detail::PendingCalls::all().take(argument);
      if (taken == nullptr) return;
      try {
        static_cast<Pending*>(taken.get())->done(status);
      } catch (...) {
        detail::log_thrown(taken->host);
      }
    }
  };
  auto pending = std::make_shared<Pending>();
  pending->host = host_;
  pending->work = std::move(work);
  pending->done = std::move(done);
  void* const argument = detail::PendingCalls::all().add(std::move(pending));
  const tenon_status status =
      host_->run_on_worker(host_->context, &Pending::run, &Pending::finish, argument, deadline_ns);
  if (status != TENON_OK) detail::PendingCalls::all().take(argument);
  check(status, "work on a worker thread");
}

}  // namespace tenon::sdk
