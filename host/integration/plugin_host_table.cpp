// The functions of tenon_host, one per service, over a PluginInstance. Every one is a C trampoline: noexcept, arguments
// checked, anything thrown turned into a status. See plugin-api/include/tenon/host.h for what each promises.
#include <cstring>

#include "common/logging.hpp"
#include "common/text.hpp"
#include "integration/owned_message.hpp"
#include "integration/plugin_config_values.hpp"
#include "integration/plugin_instance.hpp"

namespace tenon::integration {

namespace {

constexpr std::size_t kMaxTimers = 1024, kMaxWatches = 1024, kMaxMetrics = 64, kMaxPosted = 65'536, kMaxCommands = 16;
constexpr std::uint64_t kMaxDelay = 365ull * 24 * 3600 * 1'000'000'000;  // of a timer

template <class Body>
tenon_status guarded(Body&& body) noexcept {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return TENON_ERR_EXHAUSTED;
  } catch (...) {
    return TENON_ERR_INTERNAL;
  }
}

tenon_status to_status(const Status& status) {
  return status.ok() ? TENON_OK : static_cast<tenon_status>(status.error().code);
}

}  // namespace

struct PluginInstance::Table {
  static PluginInstance& self(void* context) noexcept { return *static_cast<PluginInstance*>(context); }

  // --- identity and log ---
  static tenon_str instance_name(void* context) { return to_abi(self(context).name_); }
  static tenon_str node(void* context) { return to_abi(self(context).services_.node); }

  static void log_line(void* context, uint32_t level, tenon_str text) {
    PluginInstance& me = self(context);
    const auto host_level = static_cast<log::Level>(std::min<uint32_t>(level, TENON_LOG_ERROR));
    if (!log::enabled(host_level)) return;
    guarded([&]() -> tenon_status {
      std::uint64_t refused = 0;
      {
        const std::scoped_lock lock(me.log_mutex_);
        if (!me.log_limit_.allow(me.services_.loop.clock().monotonic())) return TENON_OK;
        refused = me.log_limit_.take_refused();
      }
      const log::Field fields[] = {{"component", me.component_}, {"instance", me.name_}, {"suppressed", refused}};
      log::write(host_level, "plugin", from_abi(text), fields, refused == 0 ? 2 : 3);
      return TENON_OK;
    });
  }

  static void metric(void* context, tenon_str name, uint32_t kind, double value) {
    guarded([&]() -> tenon_status {
      PluginInstance& me = self(context);
      me.on_loop([&me, name = std::string(from_abi(name)), kind, value] { set_metric(me, name, kind, value); });
      return TENON_OK;
    });
  }
  static void set_metric(PluginInstance& me, const std::string& name, uint32_t kind, double value) {
    auto known = me.gauges_.find(name);
    if (known == me.gauges_.end()) {
      if (me.gauges_.size() >= kMaxMetrics) return me.misbehaved("uses more than 64 metrics");
      auto family =
          me.services_.metrics.gauges({"tenon_plugin_" + name, "Reported by a plugin.", {"component", "instance"}});
      if (!family.ok()) return me.misbehaved("metric " + quote_for_message(name) + ": " + family.error().message);
      known = me.gauges_.emplace(name, family->with({me.component_, me.name_})).first;
    }
    if (kind == TENON_METRIC_COUNTER) known->second.add(value);
    else known->second.set(value);
  }

  // --- config ---
  static tenon_str config_json(void* context) { return to_abi(self(context).config_text_); }

  template <class Out, class Convert>
  static tenon_status config(void* context, tenon_str pointer, Out* out, Convert convert) {
    return guarded([&]() -> tenon_status {
      const auto value = self(context).config_at(pointer);
      if (!value) return TENON_ERR_NOT_FOUND;
      const auto converted = convert(*value);
      if (!converted) return TENON_ERR_INVALID_ARGUMENT;
      *out = *converted;
      return TENON_OK;
    });
  }
  static tenon_status config_string(void* context, tenon_str pointer, tenon_str* out) {
    return config(context, pointer, out, string_of);
  }
  static tenon_status config_integer(void* context, tenon_str pointer, int64_t* out) {
    return config(context, pointer, out, [](const JsonValue& v) { return v.as_i64(); });
  }
  static tenon_status config_number(void* context, tenon_str pointer, double* out) {
    return config(context, pointer, out, [](const JsonValue& v) { return v.as_double(); });
  }
  static tenon_status config_boolean(void* context, tenon_str pointer, uint32_t* out) {
    return config(context, pointer, out, boolean_of);
  }
  static tenon_status config_duration(void* context, tenon_str pointer, uint64_t* out) {
    return config(context, pointer, out, duration_of);
  }
  static tenon_status config_size(void* context, tenon_str pointer, uint64_t* out) {
    return config(context, pointer, out, size_of);
  }
  static tenon_status config_count(void* context, tenon_str pointer, size_t* out) {
    return config(context, pointer, out, count_of);
  }
  static tenon_status config_key(void* context, tenon_str pointer, size_t index, tenon_str* out) {
    return guarded([&]() -> tenon_status {
      const auto value = self(context).config_at(pointer);
      if (!value) return TENON_ERR_NOT_FOUND;
      if (!value->is_object()) return TENON_ERR_INVALID_ARGUMENT;
      if (index >= value->size()) return TENON_ERR_NOT_FOUND;
      *out = present(value->members()[index].key);
      return TENON_OK;
    });
  }

  // --- time and chance ---
  static uint64_t monotonic_ns(void* context) { return to_abi_ns(self(context).services_.loop.clock().monotonic()); }
  static uint64_t wall_ns(void* context) {
    return static_cast<uint64_t>(self(context).services_.loop.clock().wall().time_since_epoch().count());
  }
  static uint64_t random(void* context) {
    PluginInstance& me = self(context);
    if (!me.services_.loop.on_loop_thread()) return random_u64();
    return me.random_.next();
  }

  // --- timers and descriptors ---
  static tenon_status timer_start(void* context, uint64_t delay, uint64_t period, tenon_callback callback,
                                  void* argument, uint64_t* out) {
    return guarded([&]() -> tenon_status {
      PluginInstance& me = self(context);
      if (callback == nullptr || delay > kMaxDelay || period > kMaxDelay) return TENON_ERR_INVALID_ARGUMENT;
      if (me.timers_.size() >= kMaxTimers) return TENON_ERR_EXHAUSTED;
      const uint64_t id = me.next_handle_++;
      arm(me, id, Duration(static_cast<int64_t>(delay)), Duration(static_cast<int64_t>(period)), callback, argument);
      if (out != nullptr) *out = id;
      return TENON_OK;
    });
  }
  static void arm(PluginInstance& me, uint64_t id, Duration delay, Duration period, tenon_callback callback,
                  void* argument) {
    me.timers_[id] = me.services_.loop.after(delay, [&me, id, period, callback, argument] {
      PluginInstance& instance = me;  // copies: taking the handle away may end this closure
      const tenon_callback run = callback;
      void* const with = argument;
      if (period.count() > 0) arm(instance, id, period, period, run, with);
      else instance.timers_.erase(id);
      instance.call(instance.call_number("timer"), [&] { run(with); });
    });
  }
  static void timer_cancel(void* context, uint64_t timer) { self(context).timers_.erase(timer); }

  static tenon_status fd_watch(void* context, int32_t fd, uint32_t interest, tenon_fd_callback callback, void* argument,
                               uint64_t* out) {
    return guarded([&]() -> tenon_status {
      PluginInstance& me = self(context);
      if (callback == nullptr || interest > 3) return TENON_ERR_INVALID_ARGUMENT;
      if (me.watches_.size() >= kMaxWatches) return TENON_ERR_EXHAUSTED;
      const auto wanted = static_cast<event::Interest>(interest);
      auto watch = me.services_.loop.watch(fd, wanted, [&me, callback, argument](event::Interest ready) {
        me.call(me.call_number("fd"), [&] { callback(argument, static_cast<uint32_t>(ready)); });
      });
      if (!watch.ok()) return static_cast<tenon_status>(watch.error().code);
      const uint64_t id = me.next_handle_++;
      me.watches_[id] = std::move(*watch);
      if (out != nullptr) *out = id;
      return TENON_OK;
    });
  }
  static tenon_status fd_interest(void* context, uint64_t id, uint32_t interest) {
    return guarded([&]() -> tenon_status {
      PluginInstance& me = self(context);
      const auto at = me.watches_.find(id);
      if (at == me.watches_.end()) return TENON_ERR_NOT_FOUND;
      if (interest > 3) return TENON_ERR_INVALID_ARGUMENT;
      at->second->set_interest(static_cast<event::Interest>(interest));
      return TENON_OK;
    });
  }
  static void fd_unwatch(void* context, uint64_t id) { self(context).watches_.erase(id); }

  // --- threads ---
  static tenon_status run_on_worker(void* context, tenon_callback work, tenon_done_callback done, void* argument,
                                    uint64_t deadline_ns) {
    return guarded([&]() -> tenon_status {
      PluginInstance& me = self(context);
      if (work == nullptr || done == nullptr) return TENON_ERR_INVALID_ARGUMENT;
      // The library stays mapped for ever, so the work may outlive the instance; it must not touch it.
      CallTracer& tracer = me.services_.tracer;
      const uint32_t place = me.place_, call_number = me.call_number("worker");
      const Duration left = from_abi_ns(deadline_ns) - me.services_.loop.clock().monotonic();
      const Status status = me.services_.workers.submit(
          [&tracer, alive = me.alive_weak_, place, call_number, work, argument] {
            if (alive.expired()) return;  // destroyed while this waited for a thread: nobody wants it
            keeper::BreadcrumbScope scope(tracer.worker_lane(), place, call_number);
            work(argument);
          },
          std::max(left, Duration(0)), [&me, alive = me.alive_weak_, done, argument](Status how) {
            if (alive.expired()) return;
            me.call(me.call_number("worker_done"), [&] { done(argument, to_status(how)); });
          });
      return to_status(status);
    });
  }

  static tenon_status post_to_loop(void* context, tenon_callback callback, void* argument) {
    return guarded([&]() -> tenon_status {
      PluginInstance& me = self(context);
      if (callback == nullptr) return TENON_ERR_INVALID_ARGUMENT;
      if (me.posted_->fetch_add(1, std::memory_order_relaxed) >= kMaxPosted) {
        me.posted_->fetch_sub(1, std::memory_order_relaxed);
        return TENON_ERR_EXHAUSTED;
      }
      me.services_.loop.post([&me, alive = me.alive_weak_, posted = me.posted_, callback, argument] {
        posted->fetch_sub(1, std::memory_order_relaxed);
        if (!alive.expired()) me.call(me.call_number("posted"), [&] { callback(argument); });
      });
      return TENON_OK;
    });
  }

  static tenon_status at_thread_exit(void* context, tenon_callback callback, void* argument) {
    return guarded([&]() -> tenon_status {
      PluginInstance& me = self(context);
      if (callback == nullptr) return TENON_ERR_INVALID_ARGUMENT;
      me.on_loop([&me, callback, argument] {
        // Once a plugin and callback, however many instances ask: the pool keeps hooks for ever.
        static std::map<std::pair<tenon_callback, void*>, bool> registered;
        if (!registered.emplace(std::pair(callback, argument), true).second) return;
        me.services_.workers.at_thread_exit([callback, argument] { callback(argument); });
      });
      return TENON_OK;
    });
  }

  // --- commands ---
  static tenon_status run_command(void* context, const tenon_command* command, tenon_command_callback callback,
                                  void* argument, uint64_t* out) {
    return guarded([&]() -> tenon_status {
      PluginInstance& me = self(context);
      if (command == nullptr || callback == nullptr || !TENON_HAS(command, tenon_command, deadline_ns) ||
          command->argument_count == 0 || command->argument_count > 4096 || command->environment_count > 4096)
        return TENON_ERR_INVALID_ARGUMENT;
      if (me.commands_.size() >= kMaxCommands) return TENON_ERR_EXHAUSTED;
      CommandRequest request;
      for (uint32_t i = 0; i < command->argument_count; ++i) request.argv.emplace_back(from_abi(command->arguments[i]));
      for (uint32_t i = 0; i < command->environment_count; ++i)
        request.environment.emplace_back(from_abi(command->environment[i]));
      request.directory = from_abi(command->directory);
      if (command->output_limit != 0) request.output_limit = command->output_limit;
      request.deadline = from_abi_ns(command->deadline_ns);

      const uint64_t mine = me.next_handle_++;
      auto started = me.services_.environment.run_command(
          std::move(request), [&me, alive = me.alive_weak_, mine, callback, argument](CommandOutcome outcome) {
            if (alive.expired()) return;
            me.commands_.erase(mine);
            tenon_command_result result;
            TENON_INIT(&result);
            result.ended = outcome.ended;
            result.value = outcome.value;
            result.output_truncated = outcome.output_truncated ? 1 : 0;
            result.output = {reinterpret_cast<const uint8_t*>(outcome.output.data()), outcome.output.size()};
            result.duration_ns = static_cast<uint64_t>(outcome.duration.count());
            me.call(me.call_number("command_done"), [&] { callback(argument, &result); });
          });
      if (!started.ok()) return static_cast<tenon_status>(started.error().code);
      me.commands_[mine] = *started;
      if (out != nullptr) *out = mine;
      return TENON_OK;
    });
  }
  static void command_cancel(void* context, uint64_t command) {
    guarded([&]() -> tenon_status {
      PluginInstance& me = self(context);
      const auto at = me.commands_.find(command);
      if (at == me.commands_.end()) return TENON_OK;
      const uint64_t theirs = at->second;
      me.commands_.erase(at);
      me.services_.environment.cancel_command(theirs);
      return TENON_OK;
    });
  }

  // --- processes and transports ---
  static tenon_status process_usage(void* context, tenon_str id, tenon_usage* out) {
    return guarded([&] { return to_status(self(context).services_.environment.process_usage(from_abi(id), *out)); });
  }
  static tenon_status last_control_message(void* context, tenon_str id, tenon_str type, uint64_t* out) {
    return guarded([&]() -> tenon_status {
      auto when = self(context).services_.environment.last_control_message(from_abi(id), from_abi(type));
      if (!when.ok()) return static_cast<tenon_status>(when.error().code);
      *out = to_abi_ns(*when);
      return TENON_OK;
    });
  }
  static tenon_status transport_round_trip(void* context, tenon_str transport, uint64_t deadline_ns,
                                           tenon_done_callback done, void* argument) {
    return guarded([&]() -> tenon_status {
      PluginInstance& me = self(context);
      if (done == nullptr) return TENON_ERR_INVALID_ARGUMENT;
      return to_status(me.services_.environment.transport_round_trip(
          from_abi(transport), from_abi_ns(deadline_ns), [&me, alive = me.alive_weak_, done, argument](Status how) {
            if (!alive.expired()) me.call(me.call_number("round_trip_done"), [&] { done(argument, to_status(how)); });
          }));
    });
  }

  // --- completions ---
  static Status status_of(const tenon_error* error) { return error == nullptr ? Status() : Status(to_error(*error)); }

  static void complete(void* context, uint64_t token, const tenon_error* error) {
    guarded([&]() -> tenon_status {
      PluginInstance& me = self(context);
      me.on_loop([&me, token, status = status_of(error)] { me.on_complete(token, status); });
      return TENON_OK;
    });
  }

  static void complete_request(void* context, uint64_t token, const tenon_message* reply, const tenon_error* error) {
    guarded([&]() -> tenon_status {
      PluginInstance& me = self(context);
      std::shared_ptr<OwnedMessage> owned;
      if (reply != nullptr) owned = std::make_shared<OwnedMessage>(*reply);
      me.on_loop([&me, token, owned, status = status_of(error)] {
        if (owned == nullptr) return me.on_complete_request(token, nullptr, status);
        const tenon_message message = owned->view();
        me.on_complete_request(token, &message, {});
      });
      return TENON_OK;
    });
  }

  static void complete_check(void* context, uint64_t token, const tenon_health_result* result,
                             const tenon_error* error) {
    guarded([&]() -> tenon_status {
      PluginInstance& me = self(context);
      const bool has_result = result != nullptr;
      tenon_health_result copy{};
      std::string reason;
      if (has_result) {
        copy = *result;
        reason = from_abi(result->reason);
      }
      me.on_loop([&me, token, has_result, copy, reason, status = status_of(error)]() mutable {
        copy.reason = to_abi(reason);
        me.on_complete_check(token, has_result ? &copy : nullptr, status);
      });
      return TENON_OK;
    });
  }

  // --- reports of transports ---
  static void transport_state(void* context, uint32_t state, const tenon_error* why) {
    guarded([&]() -> tenon_status {
      PluginInstance& me = self(context);
      me.on_loop([&me, state, status = status_of(why)] { me.on_transport_state(state, status); });
      return TENON_OK;
    });
  }
  static tenon_status transport_incoming(void* context, uint64_t subscription, const tenon_message* message) {
    return guarded([&]() -> tenon_status {
      if (message == nullptr) return TENON_ERR_INVALID_ARGUMENT;
      return self(context).on_incoming(subscription, *message);
    });
  }
  static void transport_slow_consumer(void* context, uint64_t subscription, uint64_t count) {
    guarded([&]() -> tenon_status {
      PluginInstance& me = self(context);
      me.on_loop([&me, subscription, count] { me.on_slow_consumer(subscription, count); });
      return TENON_OK;
    });
  }
  static void transport_back_pressure(void* context, uint32_t on) {
    guarded([&]() -> tenon_status {
      PluginInstance& me = self(context);
      me.on_loop([&me, on] { me.on_back_pressure(on != 0); });
      return TENON_OK;
    });
  }

  static const void* get_interface(void*, tenon_str) { return nullptr; }  // ABI 1.0 has none
};

void PluginInstance::fill_table() noexcept {
  host_ = {};
  host_.struct_size = sizeof host_;
  host_.abi_minor = TENON_ABI_MINOR;
  host_.context = this;
  host_.instance_name = Table::instance_name;
  host_.node = Table::node;
  host_.log = Table::log_line;
  host_.metric = Table::metric;
  host_.config_json = Table::config_json;
  host_.config_string = Table::config_string;
  host_.config_integer = Table::config_integer;
  host_.config_number = Table::config_number;
  host_.config_boolean = Table::config_boolean;
  host_.config_duration = Table::config_duration;
  host_.config_size = Table::config_size;
  host_.config_count = Table::config_count;
  host_.config_key = Table::config_key;
  host_.monotonic_ns = Table::monotonic_ns;
  host_.wall_ns = Table::wall_ns;
  host_.random = Table::random;
  host_.timer_start = Table::timer_start;
  host_.timer_cancel = Table::timer_cancel;
  host_.fd_watch = Table::fd_watch;
  host_.fd_interest = Table::fd_interest;
  host_.fd_unwatch = Table::fd_unwatch;
  host_.run_on_worker = Table::run_on_worker;
  host_.post_to_loop = Table::post_to_loop;
  host_.at_thread_exit = Table::at_thread_exit;
  host_.run_command = Table::run_command;
  host_.command_cancel = Table::command_cancel;
  host_.process_usage = Table::process_usage;
  host_.last_control_message = Table::last_control_message;
  host_.transport_round_trip = Table::transport_round_trip;
  host_.complete = Table::complete;
  host_.complete_request = Table::complete_request;
  host_.complete_check = Table::complete_check;
  host_.transport_state = Table::transport_state;
  host_.transport_incoming = Table::transport_incoming;
  host_.transport_slow_consumer = Table::transport_slow_consumer;
  host_.transport_back_pressure = Table::transport_back_pressure;
  host_.get_interface = Table::get_interface;
}

}  // namespace tenon::integration
