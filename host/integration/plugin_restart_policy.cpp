#include "integration/plugin_restart_policy.hpp"

#include <algorithm>

#include <tenon/restart_policy.h>

namespace tenon::integration {

namespace {

class PluginRestartPolicy final : public runtime::RestartPolicy, private PluginInstance {
 public:
  PluginRestartPolicy(PluginServices& services, const loader::Component& component, std::string config)
      : PluginInstance(services, component.current(), component.id(), "restart/" + component.name(), std::move(config)),
        table_(table<tenon_restart_policy>()), exit_call_(call_number("on_exit")) {}
  ~PluginRestartPolicy() override {
    end([&] { table_->destroy(self_); });
  }

  Status create() {
    return PluginInstance::create([&](tenon_error* error) { return table_->create(host(), &self_, error); });
  }

  Result<runtime::RestartDecision> decide(const runtime::ExitInfo& info) override {
    const tenon_exit exit = to_abi(info);
    tenon_restart_decision out;
    TENON_INIT(&out);
    std::copy(info.memory.begin(), info.memory.end(), out.memory);
    TENON_TRY(checked(exit_call_, [&](tenon_error* error) { return table_->on_exit(self_, &exit, &out, error); }));
    if (out.action > TENON_RESTART_ESCALATE) {
      count_misbehaviour(PluginRule::bad_value);  // the runtime tells it, with the process
      return Error(errc::internal, "on_exit returned the action " + std::to_string(out.action), fault::plugin);
    }
    runtime::RestartDecision decision;
    decision.action = static_cast<runtime::RestartAction>(out.action);
    decision.delay = Duration(static_cast<std::int64_t>(std::min<std::uint64_t>(out.delay_ns, INT64_MAX)));
    decision.reset = out.reset != 0;
    decision.text.assign(out.text, std::min<std::size_t>(out.text_size, sizeof out.text));
    std::copy(std::begin(out.memory), std::end(out.memory), decision.memory.begin());
    return decision;
  }

  void on_ready(Duration start_to_ready, runtime::PolicyMemory& memory) override {
    call(call_number("on_ready"),
         [&] { table_->on_ready(self_, static_cast<std::uint64_t>(start_to_ready.count()), memory.data()); });
  }
  void reset(runtime::PolicyMemory& memory) override {
    call(call_number("reset"), [&] { table_->reset(self_, memory.data()); });
  }

 private:
  static tenon_exit to_abi(const runtime::ExitInfo& info) noexcept {
    tenon_exit exit;
    TENON_INIT(&exit);
    exit.ended = static_cast<std::uint32_t>(info.ended);
    exit.value = info.value;
    exit.was_ready = info.was_ready ? 1 : 0;
    exit.run_time_ns = static_cast<std::uint64_t>(info.run_time.count());
    exit.ready_time_ns = static_cast<std::uint64_t>(info.ready_time.count());
    exit.consecutive = info.consecutive;
    exit.total_restarts = info.total_restarts;
    exit.previous_delay_ns = static_cast<std::uint64_t>(info.previous_delay.count());
    exit.random = info.random;
    std::copy(info.memory.begin(), info.memory.end(), exit.memory);
    return exit;
  }

  const tenon_restart_policy* table_;
  std::uint32_t exit_call_;
  void* self_ = nullptr;
};

}  // namespace

Result<std::unique_ptr<runtime::RestartPolicy>> PluginRestartPolicies::make(const std::string& name,
                                                                            const std::string& config_json) {
  const loader::Component* component = registry_.find(TENON_KIND_RESTART_POLICY, name);
  if (component == nullptr || component->current() == nullptr)
    return Error(errc::not_found, registry_.why_missing(TENON_KIND_RESTART_POLICY, name));
  auto policy = std::make_unique<PluginRestartPolicy>(services_, *component, config_json);
  if (Status created = policy->create(); !created.ok()) return std::move(created).error().with_context(component->id());
  return std::unique_ptr<runtime::RestartPolicy>(std::move(policy));
}

}  // namespace tenon::integration
