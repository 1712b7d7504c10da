#include "integration/plugin_health_check.hpp"

#include <tenon/health_check.h>

namespace tenon::integration {

namespace {

class PluginHealthCheck final : public runtime::HealthCheck, private PluginInstance {
 public:
  PluginHealthCheck(PluginServices& services, const loader::Component& component, const runtime::ProcessId& process,
                    const std::string& check, std::string config)
      : PluginInstance(services, component.current(), component.id(), process + "/health/" + check, std::move(config)),
        table_(table<tenon_health_check>()), process_(process) {}
  ~PluginHealthCheck() override {
    done_ = nullptr;
    end([&] { table_->destroy(self_); });
  }

  Status create() {
    return PluginInstance::create([&](tenon_error* error) { return table_->create(host(), &self_, error); });
  }

  Status start(const runtime::HealthTarget& target) override {
    tenon_health_target abi;
    TENON_INIT(&abi);
    abi.pid = target.pid;
    abi.process_id = to_abi(target.id);
    abi.generation = target.generation;
    abi.started_ns = to_abi_ns(target.started);
    abi.interval_ns = static_cast<std::uint64_t>(target.interval.count());
    return checked(call_number("start"), [&](tenon_error* error) { return table_->start(self_, &abi, error); });
  }

  void check(MonotonicTime deadline, Completion done) override {
    const std::uint64_t token = ++token_;
    done_ = std::move(done);
    forget_work();
    const Status accepted = checked(call_number("check"), [&](tenon_error* error) {
      return table_->check(self_, token, to_abi_ns(deadline), error);
    });
    if (!accepted.ok() && token == token_) finish(accepted.error());
  }

  bool waits_for_host() const noexcept override { return work_waits(); }

  void cancel() noexcept override {
    withdraw();
    call(call_number("cancel"), [&] { table_->cancel(self_); });
  }
  void stop() noexcept override {
    withdraw();
    call(call_number("stop"), [&] { table_->stop(self_); });
  }

 private:
  std::string_view served_process() const noexcept override { return process_; }
  void on_complete_check(std::uint64_t token, const tenon_health_result* result, Status status) override {
    if (token != token_ || !done_) return answered_nobody(token);
    if (result == nullptr) {
      if (!status.ok()) return finish(status.error());
      misbehaved(PluginRule::bad_value, "completed a check with neither result nor error");
      return finish(Error(errc::internal, "the check ended without a result", fault::plugin));
    }
    if (result->health > TENON_UNHEALTHY) {
      misbehaved(PluginRule::bad_value, "answered a check with health " + std::to_string(result->health));
      return finish(
          Error(errc::internal, "the check answered health " + std::to_string(result->health), fault::plugin));
    }
    runtime::HealthAnswer answer;
    answer.status.state = static_cast<runtime::HealthState>(result->health);
    if (result->health != TENON_HEALTHY) answer.status.reason = from_abi(result->reason);
    answer.latency = Duration(static_cast<std::int64_t>(std::min<std::uint64_t>(result->latency_ns, INT64_MAX)));
    finish(std::move(answer));
  }
  // The check under way, if there is one, is wanted no more: an answer to it is late from here on.
  void withdraw() noexcept {
    if (done_) withdrawn_ = {token_, services().loop.clock().monotonic()};
    done_ = nullptr;
  }
  // An answer that crossed with cancel is nobody's fault: it may have been on its way from another thread.
  void answered_nobody(std::uint64_t token) noexcept {
    if (token > token_ || token == 0)
      return misbehaved(PluginRule::unknown_completion, "completed a check that was never made");
    const MonotonicTime now = services().loop.clock().monotonic();
    if (token == withdrawn_.token && now - withdrawn_.at <= kCompletionSlack) return withdrawn_ = {}, void();
    misbehaved(PluginRule::late_completion, "completed a check that was cancelled, or answered before");
  }
  void finish(Result<runtime::HealthAnswer> answer) {
    Completion done;
    done.swap(done_);
    if (done) done(std::move(answer));
  }

  const tenon_health_check* table_;
  const runtime::ProcessId process_;
  void* self_ = nullptr;
  std::uint64_t token_ = 0;  // of the last check
  Completion done_;          // null: no answer is awaited
  struct Withdrawn {
    std::uint64_t token = 0;  // 0: none
    MonotonicTime at{};
  } withdrawn_;
};

}  // namespace

Result<std::unique_ptr<runtime::HealthCheck>> PluginHealthChecks::make(const runtime::ProcessId& process,
                                                                       const std::string& check,
                                                                       const std::string& config_json) {
  const loader::Component* component = registry_.find(TENON_KIND_HEALTH_CHECK, check);
  if (component == nullptr || component->current() == nullptr)
    return Error(errc::not_found, registry_.why_missing(TENON_KIND_HEALTH_CHECK, check));
  auto made = std::make_unique<PluginHealthCheck>(services_, *component, process, check, config_json);
  if (Status created = made->create(); !created.ok()) return std::move(created).error().with_context(component->id());
  return std::unique_ptr<runtime::HealthCheck>(std::move(made));
}

}  // namespace tenon::integration
