#include "integration/plugin_instance.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "common/json_pointer.hpp"
#include "common/logging.hpp"

namespace tenon::integration {

Error to_error(const tenon_error& error) {
  const std::size_t size = std::min<std::size_t>(error.text_size, TENON_ERROR_TEXT_MAX);
  std::string text(error.text, size);
  if (text.empty()) text = "failed without saying why";
  const bool known = error.code > 0 && error.code <= static_cast<tenon_status>(errc::untranslatable);
  return Error(known ? static_cast<errc>(error.code) : errc::internal, std::move(text),
               error.fault <= TENON_FAULT_REMOTE ? static_cast<fault>(error.fault) : fault::plugin, error.retryable != 0);
}

void to_abi(const Error& error, tenon_error& out) noexcept {
  out.struct_size = sizeof out;
  tenon_fail(&out, static_cast<tenon_status>(error.code), static_cast<std::uint32_t>(error.whose), error.retryable ? 1 : 0,
             tenon_str{error.message.data(), error.message.size()});
}

Result<std::uint64_t> PluginEnvironment::listen(std::string, std::function<void(Result<int>)>) {
  return Error(errc::unsupported, "no keeper holds listening sockets here; listen without the host's help");
}

PluginInstance::PluginInstance(PluginServices& services, std::shared_ptr<const loader::ComponentVersion> version,
                               std::string component, std::string instance_name, std::string config_json)
    : services_(services), version_(std::move(version)), component_(std::move(component)), name_(std::move(instance_name)),
      config_text_(config_json.empty() ? "{}" : std::move(config_json)),
      place_(services.tracer.take_place(version_->library == nullptr ? component_ : version_->library->traced_as(),
                                        component_)) {
  auto document = JsonDocument::parse(config_text_, name_);
  if (document.ok()) config_.emplace(std::move(*document));  // it was valid when it was checked; else every look-up misses
  fill_table();
}

PluginInstance::~PluginInstance() {
  silence();
  services_.tracer.give_back(place_);
}

void PluginInstance::silence() noexcept {
  alive_.reset();
  timers_.clear();
  watches_.clear();
  for (const auto& [mine, theirs] : commands_) services_.environment.cancel_command(theirs);
  commands_.clear();
  while (!listeners_.empty()) release_listener(listeners_.begin()->first);
}

// The keeper's duplicate keeps the socket alive, and with it every entry in epoll: so its watches go before it closes.
void PluginInstance::release_listener(std::uint64_t listener) noexcept {
  const auto at = listeners_.find(listener);
  if (at == listeners_.end()) return;
  const Listener gone = at->second;
  listeners_.erase(at);
  if (gone.fd >= 0) std::erase_if(watches_, [&](const auto& entry) { return entry.second.fd == gone.fd; });
  services_.environment.release_listener(gone.theirs);
}

bool PluginInstance::may_call_loop_function(const char* call) noexcept {
  if (services_.loop.on_loop_thread()) return true;
#ifndef NDEBUG
  std::fprintf(stderr, "tenon: plugin component %s, instance %s: %s is [loop] and was called from another thread\n",
               component_.c_str(), name_.c_str(), call);
  std::abort();
#else
  misbehaved(std::string(call) + " is [loop] and was called from another thread");
  return false;
#endif
}

void PluginInstance::on_loop(std::function<void()> task) {
  if (services_.loop.on_loop_thread()) {
    if (!alive_weak_.expired()) task();
    return;
  }
  post(std::move(task));
}

void PluginInstance::post(std::function<void()> task) {
  services_.loop.post([task = std::move(task), alive = alive_weak_] {
    if (!alive.expired()) task();
  });
}

void PluginInstance::misbehaved(std::string_view what) {
  const std::scoped_lock lock(log_mutex_);
  if (!log_limit_.allow(services_.loop.clock().monotonic())) return;
  log::warn("plugin", "misbehaved", {{"component", component_}, {"instance", name_}, {"what", what}});
}

void PluginInstance::on_complete(std::uint64_t, Status) { misbehaved("completed a call that was never made"); }
void PluginInstance::on_complete_request(std::uint64_t, const tenon_message*, Status) {
  misbehaved("completed a request that was never made");
}
void PluginInstance::on_complete_check(std::uint64_t, const tenon_health_result*, Status) {
  misbehaved("completed a check that was never made");
}
void PluginInstance::on_transport_state(std::uint32_t, Status) { misbehaved("reported a transport's state"); }
tenon_status PluginInstance::on_incoming(std::uint64_t, const tenon_message&) { return TENON_ERR_UNSUPPORTED; }
void PluginInstance::on_slow_consumer(std::uint64_t, std::uint64_t) { misbehaved("reported a slow consumer"); }
void PluginInstance::on_back_pressure(bool) { misbehaved("reported back-pressure"); }

std::optional<JsonValue> PluginInstance::config_at(tenon_str pointer) const {
  if (!config_) return std::nullopt;
  const PointerTarget target = follow_json_pointer(config_->root(), from_abi(pointer));
  return target.found ? std::optional(target.value) : std::nullopt;
}

}  // namespace tenon::integration
