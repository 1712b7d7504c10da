// The function table of FakePluginHost: each service as host.h describes it.
#include <algorithm>

#include "support/fake_host_impl.hpp"

namespace tenon::test_support {
namespace {

constexpr std::size_t kMostTimers = 1024, kMostWatches = 1024, kMostPosts = 65536, kMostMetrics = 64;

std::string_view view(tenon_str text) { return {text.data == nullptr ? "" : text.data, text.size}; }
tenon_str span(std::string_view text) { return {text.data() == nullptr ? "" : text.data(), text.size()}; }

}  // namespace

void FakePluginHost::Impl::fill_table() {
  TENON_INIT(&table);
  table.abi_minor = TENON_ABI_MINOR;
  table.context = this;
  table.instance_name = [](void* c) { return span(of(c).instance); };
  table.node = [](void* c) { return span(of(c).node); };
  table.log = [](void* c, std::uint32_t level, tenon_str text) {
    of(c).alive("log");
    of(c).keep(of(c).logs, RecordedLog{level, std::string(view(text))});
  };
  table.metric = [](void* c, tenon_str name, std::uint32_t kind, double value) {
    of(c).alive("metric");
    const std::lock_guard hold(of(c).lock);
    const std::string key(view(name));
    if (of(c).metrics.size() >= kMostMetrics && !of(c).metrics.contains(key)) return;
    if (kind == TENON_METRIC_COUNTER) of(c).metrics[key] += value;
    else of(c).metrics[key] = value;
  };
  table.config_json = [](void* c) { return span(of(c).config.text()); };
  table.config_string = [](void* c, tenon_str at, tenon_str* out) { return of(c).config.string(view(at), *out); };
  table.config_integer = [](void* c, tenon_str at, std::int64_t* out) { return of(c).config.integer(view(at), *out); };
  table.config_number = [](void* c, tenon_str at, double* out) { return of(c).config.number(view(at), *out); };
  table.config_boolean = [](void* c, tenon_str at, std::uint32_t* out) { return of(c).config.boolean(view(at), *out); };
  table.config_duration = [](void* c, tenon_str at, std::uint64_t* ns) { return of(c).config.duration(view(at), *ns); };
  table.config_size = [](void* c, tenon_str at, std::uint64_t* out) { return of(c).config.size(view(at), *out); };
  table.config_count = [](void* c, tenon_str at, std::size_t* out) { return of(c).config.count(view(at), *out); };
  table.config_key = [](void* c, tenon_str at, std::size_t index, tenon_str* out) {
    return of(c).config.key(view(at), index, *out);
  };
  table.monotonic_ns = [](void* c) { return of(c).now.load(); };
  table.wall_ns = [](void* c) { return 1'700'000'000'000'000'000 + of(c).now.load(); };
  table.random = [](void* c) {  // splitmix64: the same numbers in every run
    const std::lock_guard hold(of(c).lock);
    std::uint64_t z = of(c).random_state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  };
  table.timer_start = [](void* c, std::uint64_t delay, std::uint64_t period, tenon_callback callback, void* argument,
                         std::uint64_t* out) -> tenon_status {
    of(c).on_loop("timer_start");
    if (of(c).owner->script.timer != TENON_OK) return of(c).owner->script.timer;
    if (of(c).timers.size() >= kMostTimers) return TENON_ERR_EXHAUSTED;
    *out = of(c).next_id++;
    of(c).timers[*out] = FakeTimer{of(c).now + std::min(delay, UINT64_MAX - of(c).now), period, callback, argument};
    return TENON_OK;
  };
  table.timer_cancel = [](void* c, std::uint64_t timer) { of(c).on_loop("timer_cancel"), of(c).timers.erase(timer); };
  table.fd_watch = [](void* c, std::int32_t fd, std::uint32_t interest, tenon_fd_callback callback, void* argument,
                      std::uint64_t* out) -> tenon_status {
    of(c).on_loop("fd_watch");
    if (of(c).owner->script.watch != TENON_OK) return of(c).owner->script.watch;
    if (of(c).watches.size() >= kMostWatches) return TENON_ERR_EXHAUSTED;
    const auto same = [fd](const auto& watch) { return watch.second.fd == fd; };  // as epoll does
    if (std::any_of(of(c).watches.begin(), of(c).watches.end(), same)) return TENON_ERR_ALREADY_EXISTS;
    *out = of(c).next_id++;
    of(c).watches[*out] = FakeWatch{fd, interest, callback, argument};
    return TENON_OK;
  };
  table.fd_interest = [](void* c, std::uint64_t watch, std::uint32_t interest) -> tenon_status {
    of(c).on_loop("fd_interest");
    const auto found = of(c).watches.find(watch);
    if (found == of(c).watches.end()) return TENON_ERR_NOT_FOUND;
    found->second.interest = interest;
    return TENON_OK;
  };
  table.fd_unwatch = [](void* c, std::uint64_t watch) { of(c).on_loop("fd_unwatch"), of(c).watches.erase(watch); };
  table.run_on_worker = [](void* c, tenon_callback work, tenon_done_callback done, void* argument,
                           std::uint64_t deadline) -> tenon_status {
    of(c).on_loop("run_on_worker");
    if (of(c).owner->script.worker != TENON_OK) return of(c).owner->script.worker;
    return of(c).start_work(of(c).owner->script.workers_busy ? nullptr : work, done, argument, deadline);
  };
  table.post_to_loop = [](void* c, tenon_callback callback, void* argument) -> tenon_status {
    if (of(c).owner->script.post != TENON_OK) return of(c).owner->script.post;
    {
      const std::lock_guard hold(of(c).lock);
      if (of(c).retired) return TENON_ERR_CANCELLED;
      if (of(c).posts.size() >= kMostPosts) return TENON_ERR_EXHAUSTED;
      of(c).posts.push_back({callback, argument});
    }
    of(c).ring();
    return TENON_OK;
  };
  table.at_thread_exit = [](void* c, tenon_callback callback, void* argument) -> tenon_status {
    const std::lock_guard hold(of(c).lock);
    auto& hooks = of(c).thread_exit_hooks;
    const bool known = std::any_of(hooks.begin(), hooks.end(), [&](const Post& p) { return p.callback == callback; });
    if (!known) hooks.push_back({callback, argument});
    return TENON_OK;
  };
  table.run_command = [](void* c, const tenon_command* command, tenon_command_callback callback, void* argument,
                         std::uint64_t* out) -> tenon_status {
    of(c).on_loop("run_command");
    if (of(c).owner->script.command != TENON_OK) return of(c).owner->script.command;
    return of(c).start_command(command, callback, argument, out);
  };
  // A FakeCommand that goes kills its group.
  table.command_cancel = [](void* c, std::uint64_t id) { of(c).on_loop("command_cancel"), of(c).commands.erase(id); };
  table.process_usage = [](void* c, tenon_str, tenon_usage* out) -> tenon_status {
    of(c).on_loop("process_usage");
    const Script& answers = of(c).owner->script;
    if (answers.usage_status != TENON_OK) return answers.usage_status;
    TENON_INIT(out);
    out->process_count = answers.process_count;
    out->memory_bytes = answers.memory_bytes;
    out->cpu_ns = answers.cpu_ns;
    return TENON_OK;
  };
  table.last_control_message = [](void* c, tenon_str, tenon_str type, std::uint64_t* out) -> tenon_status {
    of(c).on_loop("last_control_message");
    const Script& answers = of(c).owner->script;
    if (answers.control_status != TENON_OK) return answers.control_status;
    const auto found = answers.control_messages.find(std::string(view(type)));
    *out = found == answers.control_messages.end() ? 0 : found->second;
    return TENON_OK;
  };
  table.transport_round_trip = [](void* c, tenon_str transport, std::uint64_t, tenon_done_callback done,
                                  void* argument) -> tenon_status {
    of(c).on_loop("transport_round_trip");
    const Script& answers = of(c).owner->script;
    of(c).round_trips.emplace_back(view(transport));
    if (answers.round_trip_refused != TENON_OK) return answers.round_trip_refused;
    const auto answer = [done, argument](tenon_status how) { done(argument, how); };
    if (answers.round_trips_wait) of(c).waiting_round_trips.emplace_back(answer);
    else of(c).soon.push_back([answer, how = answers.round_trip] { answer(how); });
    return TENON_OK;
  };
  table.complete = [](void* c, std::uint64_t token, const tenon_error* error) {
    of(c).complete_token("complete", token);
    Completion completion{token, {}, {}};
    if (error != nullptr) completion.error = record(*error);
    of(c).keep(of(c).completions, std::move(completion));
  };
  table.complete_request = [](void* c, std::uint64_t token, const tenon_message* reply, const tenon_error* error) {
    of(c).complete_token("complete_request", token);
    if ((reply == nullptr) == (error == nullptr)) of(c).violated("complete_request needs one of reply and error");
    Completion completion{token, {}, {}};
    if (error != nullptr) completion.error = record(*error);
    if (reply != nullptr) completion.reply = record(*reply);
    of(c).keep(of(c).completions, std::move(completion));
  };
  table.complete_check = [](void* c, std::uint64_t token, const tenon_health_result* result, const tenon_error* error) {
    of(c).complete_token("complete_check", token);
    CheckCompletion completion;
    completion.token = token;
    if (error != nullptr) completion.error = record(*error);
    if (result != nullptr) {
      completion.health = result->health;
      completion.reason = std::string(view(result->reason));
      completion.latency_ns = result->latency_ns;
      if (result->health != TENON_HEALTHY && completion.reason.empty())
        of(c).violated("complete_check: a reason is required unless healthy");
    } else if (error == nullptr) {
      of(c).violated("complete_check: neither a result nor an error");
    }
    of(c).keep(of(c).checks, std::move(completion));
  };
  table.transport_state = [](void* c, std::uint32_t state, const tenon_error* why) {
    of(c).alive("transport_state");
    StateReport report{state, {}};
    if (why != nullptr) report.why = record(*why);
    of(c).keep(of(c).states, std::move(report));
  };
  table.transport_incoming = [](void* c, std::uint64_t subscription, const tenon_message* message) -> tenon_status {
    of(c).alive("transport_incoming");
    RecordedMessage copy = record(*message);
    copy.subscription = subscription;
    tenon_status answer;
    {
      const std::lock_guard hold(of(c).lock);
      answer = of(c).incoming_answer;
      if (answer == TENON_OK) of(c).incoming.push_back(std::move(copy));
    }
    of(c).ring();
    return answer;
  };
  table.transport_slow_consumer = [](void* c, std::uint64_t subscription, std::uint64_t count) {
    of(c).alive("transport_slow_consumer");
    {
      const std::lock_guard hold(of(c).lock);
      of(c).slow_consumers[subscription] += count;
    }
    of(c).ring();
  };
  table.transport_back_pressure = [](void* c, std::uint32_t on) {
    of(c).alive("transport_back_pressure");
    of(c).keep(of(c).back_pressure, on);
    if (of(c).when_back_pressure) of(c).when_back_pressure(on);
  };
  table.get_interface = [](void*, tenon_str) -> const void* { return nullptr; };
}

}  // namespace tenon::test_support
