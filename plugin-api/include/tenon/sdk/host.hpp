// The host's services as C++: a copyable view of one instance's `const tenon_host *`.
//
// Threads and meanings are those of host.h. Callbacks may throw: what they throw is logged as an error of the instance.
// A callback that the host has not called when the instance is destroyed never runs, and what it captured is freed
// then.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../host.h"
#include "callbacks.hpp"
#include "error.hpp"
#include "handles.hpp"

#pragma GCC visibility push(hidden)

namespace tenon::sdk {

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
  // Runs the callback on the loop, in the order of the calls of one thread. Throws EXHAUSTED when too much waits. [any]
  void post_to_loop(std::function<void()> callback) const;
  // Runs `callback(argument)` on each host thread that ran code of this plugin, when the thread ends. It stays for as
  // long as the host runs, so it is a plain function, and what `argument` points to is static. [any]
  void at_thread_exit(tenon_callback callback, void* argument = nullptr) const {
    check(host_->at_thread_exit(host_->context, callback, argument), "a callback for threads that end");
  }
  // Runs a command to its end through the keeper; it is killed when what this returns goes. Never calls `done` before
  // it returns. [loop]
  [[nodiscard]] Command run_command(const std::vector<std::string>& arguments,
                                    const std::vector<std::string>& environment, std::string_view directory,
                                    std::uint32_t output_limit, std::uint64_t deadline_ns,
                                    std::function<void(const CommandResult&)> done) const;

  // What the process uses now; none if it does not run. A field that cannot be read is UINT64_MAX. [loop]
  std::optional<tenon_usage> process_usage(std::string_view process_id) const noexcept {
    tenon_usage usage;
    TENON_INIT(&usage);
    if (host_->process_usage(host_->context, to_abi(process_id), &usage) != TENON_OK) return std::nullopt;
    return usage;
  }
  // When the process last sent a control message of the type, on the monotonic clock; 0: not since its start. None if
  // it does not run. [loop]
  std::optional<std::uint64_t> last_control_message(std::string_view process_id, std::string_view type) const noexcept {
    std::uint64_t when = 0;
    if (host_->last_control_message(host_->context, to_abi(process_id), to_abi(type), &when) != TENON_OK)
      return std::nullopt;
    return when;
  }
  // Asks the named transport for a round trip to its remote. Throws if the host refuses. [loop]
  void transport_round_trip(std::string_view transport, std::uint64_t deadline_ns,
                            std::function<void(tenon_status)> done) const;

  // A named, revisioned interface of the host as the struct that its header gives it; null if it has none. [any]
  template <class Interface>
  const Interface* get_interface(std::string_view id) const noexcept {
    return static_cast<const Interface*>(host_->get_interface(host_->context, to_abi(id)));
  }

  // --- completions [any] ---

  void complete(std::uint64_t token) const noexcept { host_->complete(host_->context, token, nullptr); }
  void complete(std::uint64_t token, tenon_status code, std::string_view text, std::uint32_t fault,
                bool retryable) const noexcept {
    tenon_error error;
    TENON_INIT(&error);
    fill(error, code, text, fault, retryable);
    host_->complete(host_->context, token, &error);
  }
  void complete(std::uint64_t token, const Error& why) const noexcept {
    complete(token, why.code(), why.what(), why.fault(), why.retryable());
  }
  void complete_request(std::uint64_t token, const tenon_message& reply) const noexcept {
    host_->complete_request(host_->context, token, &reply, nullptr);
  }
  void complete_request(std::uint64_t token, const Error& why) const noexcept {
    const tenon_error error = to_error(why);
    host_->complete_request(host_->context, token, nullptr, &error);
  }
  // The check itself could not run. Counts as unhealthy, but for EXHAUSTED with TENON_FAULT_HOST; see host.h.
  void complete_check(std::uint64_t token, const Error& why) const noexcept {
    const tenon_error error = to_error(why);
    host_->complete_check(host_->context, token, nullptr, &error);
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

  // --- what a transport tells without being asked [any] ---

  void transport_state(std::uint32_t state) const noexcept { host_->transport_state(host_->context, state, nullptr); }
  void transport_state(std::uint32_t state, const Error& why) const noexcept {
    const tenon_error error = to_error(why);
    host_->transport_state(host_->context, state, &error);
  }
  // An event came in. False: the host has no room; stop reading until resume(), then offer the event again. Throws what
  // else the host says: it will not take this event, so drop it.
  [[nodiscard]] bool transport_incoming(std::uint64_t subscription, const tenon_message& message) const {
    const tenon_status status = host_->transport_incoming(host_->context, subscription, &message);
    if (status == TENON_OK || status == TENON_ERR_EXHAUSTED) return status == TENON_OK;
    throw Error(status, "the host refused an event that came in", TENON_FAULT_HOST);
  }
  void transport_slow_consumer(std::uint64_t subscription, std::uint64_t count) const noexcept {
    host_->transport_slow_consumer(host_->context, subscription, count);
  }
  void transport_back_pressure(bool on) const noexcept {
    host_->transport_back_pressure(host_->context, on ? 1 : 0);
  }

 private:
  static tenon_error to_error(const Error& why) noexcept {
    tenon_error error;
    TENON_INIT(&error);
    fill(error, why.code(), why.what(), why.fault(), why.retryable());
    return error;
  }
  void read(std::string_view pointer, tenon_status status) const {
    if (status == TENON_OK || status == TENON_ERR_NOT_FOUND) return;
    throw Error(status,
                "config value " + std::string(pointer) + " has another type than the component's schema promises",
                TENON_FAULT_PLUGIN);
  }
  // Puts the call under way: `ask` makes the host's call with its number. What the host refuses is forgotten, and
  // thrown.
  template <class Ask>
  void* begin(std::shared_ptr<detail::PendingCall> call, const char* what, Ask&& ask) const {
    call->host = host_;
    void* const number = detail::PendingCalls::all().add(std::move(call));
    const tenon_status status = ask(number);
    if (status != TENON_OK) detail::PendingCalls::all().take(number);
    check(status, what);
    return number;
  }
  static void check(tenon_status status, const char* what) {
    if (status != TENON_OK) throw Error(status, std::string("the host refused ") + what, TENON_FAULT_HOST, true);
  }
  const tenon_host* host_;
};

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
  using Call = detail::AnsweredCall<const tenon_command_result*>;
  auto call = std::make_shared<Call>();
  call->done = [done = std::move(done)](const tenon_command_result* result) {
    done(CommandResult{result->ended, result->value,
                       std::string(reinterpret_cast<const char*>(result->output.data), result->output.size),
                       result->output_truncated != 0, result->duration_ns});
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
  Command running;
  running.pending_ = begin(std::move(call), "a command", [&](void* number) {
    return host_->run_command(host_->context, &command, &Call::answer, number, &running.id_);
  });
  running.host_ = host_;
  return running;
}

inline void Host::run_on_worker(std::uint64_t deadline_ns, std::function<void()> work,
                                std::function<void(tenon_status)> done) const {
  struct Job final : detail::AnsweredCall<tenon_status> {
    std::function<void()> work;
    static void run(void* argument) noexcept {
      auto found = detail::PendingCalls::all().find(argument);
      if (found == nullptr) return;  // timed out or destroyed before a thread was free
      const auto job = std::move(static_cast<Job*>(found.get())->work);
      found.reset();      // `done` and what it captured stay with the loop
      guarded_void(job);  // not logged: the instance may be gone by now
    }
  };
  auto call = std::make_shared<Job>();
  call->work = std::move(work);
  call->done = std::move(done);
  begin(std::move(call), "work on a worker thread", [&](void* number) {
    return host_->run_on_worker(host_->context, &Job::run, &Job::answer, number, deadline_ns);
  });
}

inline void Host::post_to_loop(std::function<void()> callback) const {
  auto call = std::make_shared<detail::AnsweredCall<>>();
  call->done = std::move(callback);
  begin(std::move(call), "a callback on the loop", [&](void* number) {
    return host_->post_to_loop(host_->context, &detail::AnsweredCall<>::answer, number);
  });
}

inline void Host::transport_round_trip(std::string_view transport, std::uint64_t deadline_ns,
                                       std::function<void(tenon_status)> done) const {
  using RoundTrip = detail::AnsweredCall<tenon_status>;
  auto call = std::make_shared<RoundTrip>();
  call->done = std::move(done);
  begin(std::move(call), "a round trip of a transport", [&](void* number) {
    return host_->transport_round_trip(host_->context, to_abi(transport), deadline_ns, &RoundTrip::answer, number);
  });
}

}  // namespace tenon::sdk

#pragma GCC visibility pop
