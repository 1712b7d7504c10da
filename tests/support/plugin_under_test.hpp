// An instance of a health check or restart policy with its fake host, for tests that speak about behaviour.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <optional>
#include <string>

#include "support/fake_plugin_host.hpp"
#include "support/loaded_plugin.hpp"

namespace tenon::test_support {

inline tenon_str abi(const std::string& text) { return {text.data(), text.size()}; }
inline std::string text_of(const tenon_error& error) { return {error.text, error.text_size}; }

// create's error text for a config; empty when it is accepted.
template <class Table>
std::string refusal(const Table& table, const std::string& config) {
  FakePluginHost host(config);
  void* self = nullptr;
  tenon_error error;
  TENON_INIT(&error);
  if (table.create(host.get(), &self, &error) != TENON_OK) return text_of(error);
  table.destroy(self);
  return {};
}

class HealthCheckUnderTest {
 public:
  HealthCheckUnderTest(const tenon_health_check& table, const std::string& config) : host(config), table_(table) {
    tenon_error error;
    TENON_INIT(&error);
    if (table_.create(host.get(), &self_, &error) != TENON_OK) {
      std::fprintf(stderr, "create refused: %s\n", text_of(error).c_str());
      std::abort();
    }
    start();
  }
  ~HealthCheckUnderTest() { destroy(); }
  HealthCheckUnderTest(const HealthCheckUnderTest&) = delete;
  HealthCheckUnderTest& operator=(const HealthCheckUnderTest&) = delete;

  std::uint64_t interval_ns = 0;  // of the check, as the host tells it at start

  // A new incarnation of "worker.1", started now.
  void start() {
    tenon_health_target target;
    TENON_INIT(&target);
    target.pid = 4711;
    target.process_id = abi(process_id_);
    target.generation = ++generation_;
    target.started_ns = host.now_ns();
    target.interval_ns = interval_ns;
    tenon_error error;
    TENON_INIT(&error);
    if (table_.start(self_, &target, &error) != TENON_OK) std::abort();
  }

  // Begins a check; its token, or 0 when it was refused (see `refused`).
  std::uint64_t begin(std::chrono::nanoseconds deadline = std::chrono::seconds(5)) {
    tenon_error error;
    TENON_INIT(&error);
    const std::uint64_t token = ++token_;
    if (table_.check(self_, token, host.deadline_in(deadline), &error) == TENON_OK) return token;
    refused = text_of(error);
    return 0;
  }
  // Waits for a check's completion; none: it never came.
  std::optional<CheckCompletion> wait(std::uint64_t token) {
    host.pump([&] { return host.check(token).has_value(); });
    return host.check(token);
  }
  // One whole check. A check that never completes comes back as an unhealthy one that says so.
  CheckCompletion check(std::chrono::nanoseconds deadline = std::chrono::seconds(5)) {
    CheckCompletion never;
    never.reason = "never completed";
    return wait(begin(deadline)).value_or(never);
  }

  void cancel() { table_.cancel(self_); }
  void stop() { table_.stop(self_); }
  // What the engine does: destroy, then nothing of the instance's runs any more.
  void destroy() {
    if (self_ == nullptr) return;
    table_.destroy(self_);
    self_ = nullptr;
    host.retire();
  }

  FakePluginHost host;
  std::string refused;

 private:
  const tenon_health_check& table_;
  void* self_ = nullptr;
  const std::string process_id_ = "worker.1";
  std::uint64_t generation_ = 0, token_ = 0;
};

struct PolicyDecision {
  std::uint32_t action;
  std::chrono::nanoseconds delay;
  bool reset;
  std::string text;
  std::array<std::uint64_t, 4> memory;  // what the host hands in with the next call
};

class RestartPolicyUnderTest {
 public:
  RestartPolicyUnderTest(const tenon_restart_policy& table, const std::string& config) : host_(config), table_(table) {
    tenon_error error;
    TENON_INIT(&error);
    if (table_.create(host_.get(), &self_, &error) != TENON_OK) {
      std::fprintf(stderr, "create refused: %s\n", text_of(error).c_str());
      std::abort();
    }
  }
  ~RestartPolicyUnderTest() { table_.destroy(self_); }
  RestartPolicyUnderTest(const RestartPolicyUnderTest&) = delete;
  RestartPolicyUnderTest& operator=(const RestartPolicyUnderTest&) = delete;

  PolicyDecision on_exit(const tenon_exit& exit) {
    tenon_restart_decision out;
    TENON_INIT(&out);
    std::copy(std::begin(exit.memory), std::end(exit.memory), out.memory);
    tenon_error error;
    TENON_INIT(&error);
    if (table_.on_exit(self_, &exit, &out, &error) != TENON_OK) std::abort();
    return {out.action, std::chrono::nanoseconds(out.delay_ns), out.reset != 0, std::string(out.text, out.text_size),
            std::to_array(out.memory)};
  }

 private:
  FakePluginHost host_;
  const tenon_restart_policy& table_;
  void* self_ = nullptr;
};

// An exit after a short run of a process that was ready; tests change what they are about.
inline tenon_exit exited(std::uint32_t ended, std::int32_t value, std::uint32_t consecutive = 0) {
  tenon_exit exit;
  TENON_INIT(&exit);
  exit.ended = ended;
  exit.value = value;
  exit.was_ready = 1;
  exit.run_time_ns = 1'000'000'000;
  exit.ready_time_ns = exit.run_time_ns;
  exit.consecutive = consecutive;
  return exit;
}

}  // namespace tenon::test_support
