#include "integration/plugin_instance.hpp"

#include <cstddef>
#include <cstring>

#include "common/json_pointer.hpp"

namespace tenon::integration {

Error to_error(const tenon_error& error) {
  const std::size_t size = std::min<std::size_t>(error.text_size, TENON_ERROR_TEXT_MAX);
  std::string text(error.text, size);
  if (text.empty()) text = "failed without saying why";
  const bool known = error.code > 0 && error.code <= static_cast<tenon_status>(errc::untranslatable);
  return Error(known ? static_cast<errc>(error.code) : errc::internal, std::move(text),
               error.fault <= TENON_FAULT_REMOTE ? static_cast<fault>(error.fault) : fault::plugin,
               error.retryable != 0);
}

void init_error(tenon_error& error) noexcept {
  std::memset(&error, 0, offsetof(tenon_error, text));
  error.struct_size = sizeof error;
}

void to_abi(const Error& error, tenon_error& out) noexcept {
  init_error(out);
  tenon_fail(&out, static_cast<tenon_status>(error.code), static_cast<std::uint32_t>(error.whose),
             error.retryable ? 1 : 0, tenon_str{error.message.data(), error.message.size()});
}

Result<std::uint64_t> PluginEnvironment::listen(std::string, std::function<void(Result<int>)>) {
  return Error(errc::unsupported, "no keeper holds listening sockets here; listen without the host's help");
}

PluginInstance::PluginInstance(PluginServices& services, std::shared_ptr<const loader::ComponentVersion> version,
                               std::string component, std::string instance_name, std::string config_json)
    : services_(services), version_(std::move(version)), component_(std::move(component)),
      name_(std::move(instance_name)), config_text_(config_json.empty() ? "{}" : std::move(config_json)),
      place_(services.tracer.take_place(version_->library == nullptr ? component_ : version_->library->traced_as(),
                                        component_)) {
  auto document = JsonDocument::parse(config_text_, name_);
  if (document.ok())
    config_.emplace(std::move(*document));  // it was valid when it was checked; else every look-up misses
  front_ = std::make_unique<PluginFront>(services_, *this);
  front_->plugin = version_->library == nullptr ? component_ : version_->plugin().name;
  front_->component = component_;
  front_->name = name_;
  fill_table();
}

PluginInstance::~PluginInstance() {
  silence();
  retire(std::move(front_));
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

void PluginInstance::on_complete(std::uint64_t, Status) {
  misbehaved(PluginRule::wrong_kind, "completed a call that this kind does not get");
}
void PluginInstance::on_complete_request(std::uint64_t, const tenon_message*, Status) {
  misbehaved(PluginRule::wrong_kind, "completed a request, which only transports get");
}
void PluginInstance::on_complete_check(std::uint64_t, const tenon_health_result*, Status) {
  misbehaved(PluginRule::wrong_kind, "completed a check, which only health checks get");
}
void PluginInstance::on_transport_state(std::uint32_t, Status) {
  misbehaved(PluginRule::wrong_kind, "reported a transport's state and is none");
}
tenon_status PluginInstance::on_incoming(std::uint64_t, const tenon_message&) {
  misbehaved(PluginRule::wrong_kind, "brought an event and is no transport");
  return TENON_ERR_UNSUPPORTED;
}
void PluginInstance::on_slow_consumer(std::uint64_t, std::uint64_t) {
  misbehaved(PluginRule::wrong_kind, "reported a slow consumer and is no transport");
}
void PluginInstance::on_back_pressure(bool) {
  misbehaved(PluginRule::wrong_kind, "reported back-pressure and is no transport");
}

std::optional<JsonValue> PluginInstance::config_at(tenon_str pointer) const {
  if (!config_) return std::nullopt;
  const PointerTarget target = follow_json_pointer(config_->root(), from_abi(pointer));
  return target.found ? std::optional(target.value) : std::nullopt;
}

}  // namespace tenon::integration
