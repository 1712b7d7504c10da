// One instance of a plugin's component, with the services that the host gives it.
//
// The model. The instance owns a tenon_host table whose context it is. Timers, watches and queued work belong to it:
// they end with it, and nothing of theirs runs afterwards. Functions tagged [any] may be called by the plugin's own
// threads until its destroy has returned; what they bring is posted to the loop unless the caller is on it already.
// What they call later finds the instance gone (plugin_front.hpp). Work that was handed to a worker thread and outlives
// the instance finds its `done` gone.
//
// A derived class makes the plugin's object with create(), keeps its `self`, and ends it with end() in its own
// destructor.
#pragma once

#include <atomic>
#include <cassert>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>

#include <tenon/host.h>

#include "common/ids.hpp"
#include "common/json_document.hpp"
#include "common/metrics.hpp"
#include "common/result.hpp"
#include "event/loop.hpp"
#include "event/rate_limiter.hpp"
#include "event/worker_pool.hpp"
#include "integration/call_tracer.hpp"
#include "integration/plugin_front.hpp"
#include "loader/component.hpp"

namespace tenon::integration {

struct CommandRequest {
  std::vector<std::string> argv;
  std::vector<std::string> environment;  // on top of the process's, or of the minimal one
  std::string directory;                 // empty: the process's, or the host's
  std::string process;  // with whose user, groups, environment and directory it runs; empty: the host's
  std::size_t output_limit = 4096;
  MonotonicTime deadline;
};
struct CommandOutcome {
  std::uint32_t ended = 0;  // TENON_EXIT_…
  std::int32_t value = 0;
  bool output_truncated = false;
  std::string output;
  Duration duration{0};
};

// A completion this late is neither counted nor told: the plugin's own timer ran to the deadline, or the answer was on
// its way from another thread. Part of the contract: transport.h, health_check.h.
inline constexpr Duration kCompletionSlack = std::chrono::milliseconds(50);

// What instances need of the rest of the host. [loop]
class PluginEnvironment {
 public:
  virtual ~PluginEnvironment() = default;
  // Runs a command in a group of its own; `done` exactly once unless cancel_command comes first.
  virtual Result<std::uint64_t> run_command(CommandRequest request, std::function<void(CommandOutcome)> done) = 0;
  virtual void cancel_command(std::uint64_t command) = 0;
  virtual Status process_usage(std::string_view id, tenon_usage& out) = 0;
  // errc::not_found if the process does not run; epoch: no such message since its start.
  virtual Result<MonotonicTime> last_control_message(std::string_view id, std::string_view type) = 0;
  virtual Status transport_round_trip(std::string_view transport, MonotonicTime deadline,
                                      std::function<void(Status)> done) = 0;
  // An instance broke a rule; it has been counted and logged.
  virtual void plugin_misbehaved(const PluginMisbehaviour&) {}
  // A socket that listens at the path and that the keeper holds. `done` exactly once, with a descriptor that stays the
  // environment's, never from within this call, unless release_listener comes first. errc::unsupported without a
  // keeper.
  virtual Result<std::uint64_t> listen(std::string path, std::function<void(Result<int>)> done);
  // Closes the descriptor, which nobody may watch any more, and takes the socket file away. Unknown ones are ignored.
  virtual void release_listener(std::uint64_t) {}
};

struct PluginServices {
  event::Loop& loop;
  event::WorkerPool& workers;
  CallTracer& tracer;
  metrics::Registry& metrics;
  PluginEnvironment& environment;
  std::string node;
  std::deque<std::unique_ptr<PluginFront>> retired_fronts = {};  // the last that were closed, oldest first
  std::shared_ptr<int> alive = std::make_shared<int>(0);         // what is posted looks whether the host still is
};

// An error that a plugin is to fill. Not its text: half a KiB to clear for every event, and text_size says there is
// none.
void init_error(tenon_error& error) noexcept;
Error to_error(const tenon_error& error);
void to_abi(const Error& error, tenon_error& out) noexcept;
inline tenon_str to_abi(std::string_view text) noexcept { return {text.empty() ? nullptr : text.data(), text.size()}; }
inline std::string_view from_abi(tenon_str text) noexcept {
  return text.data == nullptr ? std::string_view() : std::string_view(text.data, text.size);
}
inline std::uint64_t to_abi_ns(MonotonicTime time) noexcept {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}
inline MonotonicTime from_abi_ns(std::uint64_t ns) noexcept {
  return MonotonicTime{Duration(static_cast<std::int64_t>(std::min<std::uint64_t>(ns, INT64_MAX)))};
}

class PluginInstance {
 public:
  // `services` must outlive the instance. `config_json` is valid for the component's schema. A version without a
  // library is one that is compiled in.
  PluginInstance(PluginServices& services, std::shared_ptr<const loader::ComponentVersion> version,
                 std::string component, std::string instance_name, std::string config_json);
  virtual ~PluginInstance();
  PluginInstance(const PluginInstance&) = delete;
  PluginInstance& operator=(const PluginInstance&) = delete;

  const tenon_host* host() const noexcept { return &front_->host; }
  const std::string& instance_name() const noexcept { return name_; }
  const loader::ComponentVersion& version() const noexcept { return *version_; }

 protected:
  template <class Table>
  const Table* table() const noexcept {
    return static_cast<const Table*>(version_->table());
  }
  // Calls into the plugin under a breadcrumb, for the instance unless a subject is named; [loop].
  template <class Call>
  auto call(std::uint32_t call_number, Call&& function, std::string_view event_id = {}, std::string_view subject = {}) {
    assert(services_.loop.on_loop_thread() && "plugins are called on the loop thread only");
    keeper::BreadcrumbScope scope(services_.tracer.lane(), place_, call_number, event_id,
                                  subject.empty() ? name_ : subject);
    return function();
  }
  // The same for functions that return a status and fill an error.
  template <class Call>
  Status checked(std::uint32_t call_number, Call&& function, std::string_view event_id = {},
                 std::string_view subject = {}) {
    tenon_error error;
    init_error(error);
    const tenon_status status = call(call_number, [&] { return function(&error); }, event_id, subject);
    if (status == TENON_OK) return {};
    error.code = status;
    return to_error(error);
  }
  std::uint32_t call_number(std::string_view name) { return services_.tracer.call(name); }
  PluginServices& services() noexcept { return services_; }
  // Runs the task on the loop unless the instance is gone by then; at once if the caller is on the loop. [any]
  void on_loop(std::function<void()> task);
  // Always in a later turn. [any]
  void post(std::function<void()> task);
  // Whether the last work for a worker thread, since forget_work(), waits for a thread. [loop]
  bool work_waits() const noexcept { return work_began_ && !work_began_->load(std::memory_order_relaxed); }
  void forget_work() noexcept { work_began_.reset(); }
  // Makes the plugin's object: `make(error)` is the call of its create. [loop]
  template <class Make>
  Status create(Make&& make) {
    Status made = checked(call_number(loader::kCallCreate), std::forward<Make>(make));
    made_ = made.ok();
    return made;
  }
  // Ends it, if create() made it: no callback of a timer, watch or queued work runs from here on, then `destroy()` is
  // the call of its destroy, then nothing that the plugin still calls reaches this. By derived classes, in their
  // destructors.
  template <class Destroy>
  void end(Destroy&& destroy) {
    silence();
    if (std::exchange(made_, false)) call(call_number("destroy"), std::forward<Destroy>(destroy));
    retire(std::move(front_));
  }

  // For which process the plugin works, as far as it is one: its commands run as that process does.
  virtual std::string_view served_process() const noexcept { return {}; }
  // What the plugin reports; each kind overrides its own. Default: counted as misbehaviour. [loop]
  virtual void on_complete(std::uint64_t token, Status status);
  virtual void on_complete_request(std::uint64_t token, const tenon_message* reply, Status status);
  virtual void on_complete_check(std::uint64_t token, const tenon_health_result* result, Status status);
  virtual void on_transport_state(std::uint32_t state, Status why);
  virtual tenon_status on_incoming(std::uint64_t subscription, const tenon_message& message);  // [any]
  virtual void on_slow_consumer(std::uint64_t subscription, std::uint64_t count);
  virtual void on_back_pressure(bool on);
  // Something that a plugin must not do: counted, logged and told. `what` as in PluginMisbehaviour. [any]
  void misbehaved(PluginRule rule, std::string_view what) noexcept { front_->misbehaved(rule, what); }
  void count_misbehaviour(PluginRule rule) noexcept { front_->count(rule); }  // of what others tell

 private:
  struct HostCalls;  // the functions behind host_, in plugin_host_table*.cpp
  struct OwnServices;
  struct SharedServices;
  struct Watch {
    int fd;
    std::unique_ptr<event::FdWatch> watch;
  };
  struct Listener {
    std::uint64_t theirs = 0;  // the environment's number
    int fd = -1;               // -1: not granted yet
  };
  void fill_table() noexcept;
  void fill_shared_services() noexcept;
  void release_listener(std::uint64_t listener) noexcept;
  void silence() noexcept;

  std::optional<JsonValue> config_at(tenon_str pointer) const;

  PluginServices& services_;
  std::shared_ptr<const loader::ComponentVersion> version_;
  std::string component_, name_, config_text_;
  std::optional<JsonDocument> config_;
  std::uint32_t place_;
  std::unique_ptr<PluginFront> front_;  // null: ended
  bool made_ = false;
  Random random_;
  std::mutex log_mutex_;
  event::RateLimiter log_limit_{std::chrono::milliseconds(100), 50};
  std::unordered_map<std::uint64_t, event::Handle> timers_;
  std::unordered_map<std::uint64_t, Watch> watches_;
  std::map<std::uint64_t, std::uint64_t> commands_;  // ours → the environment's
  std::map<std::uint64_t, Listener> listeners_;
  using Metric = std::variant<metrics::RealCounter, metrics::Gauge>;  // by TENON_METRIC_…
  std::map<std::string, Metric, std::less<>> metrics_;
  std::uint64_t next_handle_ = 1;
  std::shared_ptr<std::atomic<bool>> work_began_;  // of the work submitted last; null: none
  std::shared_ptr<std::atomic<std::size_t>> posted_ = std::make_shared<std::atomic<std::size_t>>(0);
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
  std::weak_ptr<int> alive_weak_ = alive_;  // copied from any thread; the pointer itself never changes
};

}  // namespace tenon::integration
