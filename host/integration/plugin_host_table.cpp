// The services of tenon_host that an instance has for itself: identity and log, config, time and chance, timers and
// descriptors, threads. See plugin-api/include/tenon/host.h for what each promises.
#include "integration/plugin_host_table.hpp"

#include <cassert>
#include <cstring>

#include "common/logging.hpp"
#include "common/text.hpp"
#include "integration/plugin_config_values.hpp"

namespace tenon::integration {

namespace {

constexpr std::size_t kMaxTimers = 1024, kMaxWatches = 1024, kMaxMetrics = 64, kMaxPosted = 65'536;
constexpr std::uint64_t kMaxDelay = 365ull * 24 * 3600 * 1'000'000'000;  // of a timer

}  // namespace

struct PluginInstance::OwnServices : HostCalls {
  // --- identity and log ---
  static tenon_str text_of(void* context, const char* call, const std::string PluginInstance::*text) {
    tenon_str out{nullptr, 0};
    on_any(context, call, [&](PluginInstance& me) { return out = to_abi(me.*text), TENON_OK; });
    return out;
  }
  static tenon_str instance_name(void* context) { return text_of(context, "instance_name", &PluginInstance::name_); }
  static tenon_str node(void* context) { return to_abi(front(context).services.node); }

  static void log_line(void* context, uint32_t level, tenon_str text) {
    const auto host_level = static_cast<log::Level>(std::min<uint32_t>(level, TENON_LOG_ERROR));
    if (!log::enabled(host_level)) return;
    on_any(context, "log", [&](PluginInstance& me) -> tenon_status {
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
    on_any(context, "metric", [&](PluginInstance& me) -> tenon_status {
      me.on_loop([&me, name = std::string(from_abi(name)), kind, value] { set_metric(me, name, kind, value); });
      return TENON_OK;
    });
  }
  static void set_metric(PluginInstance& me, const std::string& name, uint32_t kind, double value) {
    auto known = me.metrics_.find(name);
    if (known == me.metrics_.end()) {
      if (me.metrics_.size() >= kMaxMetrics) {
        return me.misbehaved(PluginRule::too_many_metrics, "reported the metric " + quote_for_message(name) +
                                                               " beyond its 64: use fewer names");
      }
      auto made = make_metric(me, name, kind);
      if (!made.ok()) {
        return me.misbehaved(PluginRule::bad_metric,
                             "reported the metric " + quote_for_message(name) + ": " + made.error().message);
      }
      known = me.metrics_.emplace(name, std::move(*made)).first;
    }
    auto* const counter = std::get_if<metrics::RealCounter>(&known->second);
    if ((counter != nullptr) != (kind == TENON_METRIC_COUNTER))
      return me.misbehaved(PluginRule::bad_metric,
                           "reported the metric " + quote_for_message(name) + " as a counter and as a gauge");
    if (counter != nullptr) counter->add(value);
    else std::get<metrics::Gauge>(known->second).set(value);
  }
  static Result<Metric> make_metric(PluginInstance& me, const std::string& name, uint32_t kind) {
    metrics::FamilyOptions options{"tenon_plugin_" + name, "Reported by a plugin.", {"plugin", "instance"}};
    const std::string& plugin = me.front_->plugin;
    if (kind == TENON_METRIC_COUNTER) {
      auto family = me.services_.metrics.real_counters(std::move(options));
      if (!family.ok()) return std::move(family).error();
      return Metric(family->with({plugin, me.name_}));
    }
    auto family = me.services_.metrics.gauges(std::move(options));
    if (!family.ok()) return std::move(family).error();
    return Metric(family->with({plugin, me.name_}));
  }

  // --- config ---
  static tenon_str config_json(void* context) { return text_of(context, "config_json", &PluginInstance::config_text_); }

  template <class Out, class Convert>
  static tenon_status config(void* context, tenon_str pointer, Out* out, Convert convert) {
    return on_loop(context, "config_…", [&]() -> tenon_status {
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
    return on_loop(context, "config_key", [&]() -> tenon_status {
      const auto value = self(context).config_at(pointer);
      if (!value) return TENON_ERR_NOT_FOUND;
      if (!value->is_object()) return TENON_ERR_INVALID_ARGUMENT;
      if (index >= value->size()) return TENON_ERR_NOT_FOUND;
      *out = present(value->members()[index].key);
      return TENON_OK;
    });
  }

  // --- time and chance ---
  static uint64_t monotonic_ns(void* context) { return to_abi_ns(front(context).services.loop.clock().monotonic()); }
  static uint64_t wall_ns(void* context) {
    return static_cast<uint64_t>(front(context).services.loop.clock().wall().time_since_epoch().count());
  }
  static uint64_t random(void* context) {
    PluginFront& from = front(context);
    if (!from.services.loop.on_loop_thread() || from.instance == nullptr) return random_u64();
    return from.instance->random_.next();
  }

  // --- timers and descriptors ---
  static tenon_status timer_start(void* context, uint64_t delay, uint64_t period, tenon_callback callback,
                                  void* argument, uint64_t* out) {
    return on_loop(context, "timer_start", [&]() -> tenon_status {
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
  static void timer_cancel(void* context, uint64_t timer) {
    on_loop(context, "timer_cancel", [&] { return self(context).timers_.erase(timer), TENON_OK; });
  }

  static tenon_status fd_watch(void* context, int32_t fd, uint32_t interest, tenon_fd_callback callback, void* argument,
                               uint64_t* out) {
    return on_loop(context, "fd_watch", [&]() -> tenon_status {
      PluginInstance& me = self(context);
      if (callback == nullptr || interest > 3) return TENON_ERR_INVALID_ARGUMENT;
      if (me.watches_.size() >= kMaxWatches) return TENON_ERR_EXHAUSTED;
      const auto wanted = static_cast<event::Interest>(interest);
      auto watch = me.services_.loop.watch(fd, wanted, [&me, callback, argument](event::Interest ready) {
        me.call(me.call_number("fd"), [&] { callback(argument, static_cast<uint32_t>(ready)); });
      });
      if (!watch.ok()) return static_cast<tenon_status>(watch.error().code);
      const uint64_t id = me.next_handle_++;
      me.watches_[id] = {fd, std::move(*watch)};
      if (out != nullptr) *out = id;
      return TENON_OK;
    });
  }
  static tenon_status fd_interest(void* context, uint64_t id, uint32_t interest) {
    return on_loop(context, "fd_interest", [&]() -> tenon_status {
      PluginInstance& me = self(context);
      const auto at = me.watches_.find(id);
      if (at == me.watches_.end()) return TENON_ERR_NOT_FOUND;
      if (interest > 3) return TENON_ERR_INVALID_ARGUMENT;
      at->second.watch->set_interest(static_cast<event::Interest>(interest));
      return TENON_OK;
    });
  }
  static void fd_unwatch(void* context, uint64_t id) {
    on_loop(context, "fd_unwatch", [&] { return self(context).watches_.erase(id), TENON_OK; });
  }

  // --- threads ---
  static tenon_status run_on_worker(void* context, tenon_callback work, tenon_done_callback done, void* argument,
                                    uint64_t deadline_ns) {
    return on_loop(context, "run_on_worker", [&]() -> tenon_status {
      PluginInstance& me = self(context);
      if (work == nullptr || done == nullptr) return TENON_ERR_INVALID_ARGUMENT;
      // The library stays mapped for ever, so the work may outlive the instance; it must not touch it.
      CallTracer& tracer = me.services_.tracer;
      const uint32_t place = me.place_, call_number = me.call_number("worker");
      const Duration left = from_abi_ns(deadline_ns) - me.services_.loop.clock().monotonic();
      const auto began = std::make_shared<std::atomic<bool>>(false);
      const Status status = me.services_.workers.submit(
          [&tracer, &loop = me.services_.loop, alive = me.alive_weak_, place, call_number, work, argument, began] {
            assert(!loop.on_loop_thread() && "work that may block is for worker threads");
            began->store(true, std::memory_order_relaxed);
            if (alive.expired()) return;  // destroyed while this waited for a thread: nobody wants it
            keeper::BreadcrumbScope scope(tracer.worker_lane(), place, call_number);
            work(argument);
          },
          std::max(left, Duration(0)), [&me, alive = me.alive_weak_, done, argument](Status how) {
            if (alive.expired()) return;
            me.call(me.call_number("worker_done"), [&] { done(argument, to_status(how)); });
          });
      if (status.ok()) me.work_began_ = began;
      return to_status(status);
    });
  }

  static tenon_status post_to_loop(void* context, tenon_callback callback, void* argument) {
    return on_any(context, "post_to_loop", [&](PluginInstance& me) -> tenon_status {
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
    return on_any(context, "at_thread_exit", [&](PluginInstance& me) -> tenon_status {
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

  static void fill(tenon_host& host) noexcept {
    host.instance_name = instance_name;
    host.node = node;
    host.log = log_line;
    host.metric = metric;
    host.config_json = config_json;
    host.config_string = config_string;
    host.config_integer = config_integer;
    host.config_number = config_number;
    host.config_boolean = config_boolean;
    host.config_duration = config_duration;
    host.config_size = config_size;
    host.config_count = config_count;
    host.config_key = config_key;
    host.monotonic_ns = monotonic_ns;
    host.wall_ns = wall_ns;
    host.random = random;
    host.timer_start = timer_start;
    host.timer_cancel = timer_cancel;
    host.fd_watch = fd_watch;
    host.fd_interest = fd_interest;
    host.fd_unwatch = fd_unwatch;
    host.run_on_worker = run_on_worker;
    host.post_to_loop = post_to_loop;
    host.at_thread_exit = at_thread_exit;
  }
};

void PluginInstance::fill_table() noexcept {
  tenon_host& table = front_->host;
  TENON_INIT(&table);
  table.abi_minor = TENON_ABI_MINOR;
  table.context = front_.get();
  OwnServices::fill(table);
  fill_shared_services();
}

}  // namespace tenon::integration
