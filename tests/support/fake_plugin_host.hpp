// A complete `tenon_host` for tests of plugins: what the engine does for one instance, with time in the test's hands.
//
// The model. One FakePluginHost serves one instance. The thread that made it is the loop thread: it creates the
// instance, calls its table, and lets callbacks run inside advance() and pump() and nowhere else.
//
// - Time is manual. advance() moves the clock and fires what falls due in the right order: timers, deadlines of
//   commands (the group is killed) and of work on threads (done gets TENON_ERR_TIMEOUT while the work runs on).
// - Everything else is real: descriptors are polled, work runs on threads, commands run in process groups of their own.
//   pump() waits for such things until a predicate holds; its bound only keeps a broken test from hanging.
// - What the plugin tells (log, metrics, completions, states, messages) is copied and kept in order of arrival.
// - What the host answers (usage, control messages, round trips, refusals) is scripted in public members.
// - retire() is what the engine does once `destroy` has returned: no callback runs afterwards, commands are killed.
//
// Every call against the rules of host.h (a [loop] call from another thread, a second completion of a token, any call
// after retire()) is a violation. The destructor prints violations that nobody took and ends the program, so that no
// test passes with one.
#pragma once

#include <tenon/health_check.h>
#include <tenon/transport.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::test_support {

struct RecordedError {
  tenon_status code = TENON_OK;
  std::uint32_t fault = 0;
  bool retryable = false;
  std::string text;
};

struct RecordedLog {
  std::uint32_t level;
  std::string text;
};

// An event as a plugin handed it over; absent attributes are not in the map.
struct RecordedEvent {
  std::map<std::string, std::string> attributes;  // standard names and extensions
  std::uint32_t priority = 0;
  std::uint32_t data_kind = TENON_DATA_NONE;
  std::string data, format;
};

struct RecordedMessage {
  std::uint64_t subscription = 0;  // 0 for the answer to a request
  std::uint32_t hops = 0;
  std::string topic, encoded, content_type, reply, origin;
  std::optional<RecordedEvent> event;
};

// complete and complete_request. No error: done.
struct Completion {
  std::uint64_t token = 0;
  std::optional<RecordedError> error;
  std::optional<RecordedMessage> reply;
};

// complete_check: a result, or the error that kept the check from running.
struct CheckCompletion {
  std::uint64_t token = 0;
  std::uint32_t health = TENON_UNHEALTHY;
  std::string reason;
  std::uint64_t latency_ns = 0;
  std::optional<RecordedError> error;
};

struct StateReport {
  std::uint32_t state;
  std::optional<RecordedError> why;
};

RecordedError record(const tenon_error& error);
RecordedMessage record(const tenon_message& message);

class FakePluginHost {
 public:
  // `config` is the instance's config as JSON text; a malformed one ends the program.
  explicit FakePluginHost(std::string config = "{}", std::string instance = "test");
  // Retires, waits for threads that still work, aborts on violations that were not taken.
  ~FakePluginHost();
  FakePluginHost(const FakePluginHost&) = delete;
  FakePluginHost& operator=(const FakePluginHost&) = delete;

  const tenon_host* get() const noexcept;

  // --- time ---
  std::uint64_t now_ns() const noexcept;
  std::uint64_t deadline_in(std::chrono::nanoseconds from_now) const noexcept;
  // Moves the clock and fires what falls due on the way, each at its own instant.
  void advance(std::chrono::nanoseconds by);

  // --- the loop ---
  // Runs the loop until the predicate holds; false if it does not within the bound of real time.
  bool pump(const std::function<bool()>& until, std::chrono::milliseconds bound = std::chrono::seconds(20));
  // One turn without waiting: whatever is ready now.
  void pump_once();
  // No callback runs any more, commands are killed; calls of the plugin's become violations.
  void retire();

  // --- what the host holds for the instance ---
  std::size_t timers() const;
  std::size_t watches() const;
  std::size_t commands() const;
  std::size_t working() const;  // work whose `done` has not run

  // --- what the plugin told; copies, so that threads may go on telling ---
  std::vector<RecordedLog> logs() const;
  std::map<std::string, double> metrics() const;
  std::vector<Completion> completions() const;
  std::vector<CheckCompletion> checks() const;
  std::vector<StateReport> states() const;
  std::vector<RecordedMessage> incoming() const;
  std::map<std::uint64_t, std::uint64_t> slow_consumers() const;  // subscription → events dropped
  std::vector<std::uint32_t> back_pressure() const;
  std::optional<Completion> completion(std::uint64_t token) const;
  std::optional<CheckCompletion> check(std::uint64_t token) const;
  // Forgets completions and messages, so that tokens may be used again.
  void clear_records();
  std::vector<std::string> take_violations();

  // --- what the host answers; change between calls, on the loop thread ---
  struct Script {
    tenon_status usage_status = TENON_ERR_NOT_FOUND;
    std::uint32_t process_count = 1;
    std::uint64_t memory_bytes = 1 << 20, cpu_ns = 1'000'000;
    tenon_status control_status = TENON_ERR_NOT_FOUND;
    std::map<std::string, std::uint64_t> control_messages;  // type → when; absent: 0, not since the start
    tenon_status round_trip = TENON_OK;  // delivered by the next turn of the loop
    tenon_status round_trip_refused = TENON_OK;  // else what the call returns, and nothing follows
    bool round_trips_wait = false;               // until answer_round_trips()
    bool workers_busy = false;  // work is accepted, but no thread is free for it before its deadline
    // Refusals: what the call returns instead of working.
    tenon_status timer = TENON_OK, watch = TENON_OK, worker = TENON_OK, command = TENON_OK, post = TENON_OK;
  } script;
  // What transport_incoming returns from now on, at first TENON_OK. Refused events are not recorded.
  void answer_incoming_with(tenon_status status);
  // Ends the round trips that wait, on the loop thread.
  void answer_round_trips(tenon_status how);
  const std::vector<std::string>& round_trips() const;  // the transports that were asked for one, in order
  // Called from within the plugin's own call, as a host may that acts upon it at once.
  void when_back_pressure(std::function<void(std::uint32_t on)> react);

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace tenon::test_support
