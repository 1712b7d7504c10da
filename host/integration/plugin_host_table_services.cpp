// The services of tenon_host that reach the rest of the host: commands, listening sockets, processes and transports,
// completions and reports. See plugin-api/include/tenon/host.h for what each promises.
#include "integration/owned_message.hpp"
#include "integration/plugin_host_table.hpp"

namespace tenon::integration {

namespace {

constexpr std::size_t kMaxCommands = 16, kMaxListeners = 8;
constexpr std::size_t kMaxSocketPath = 107;  // octets; the kernel's sun_path with its NUL

}  // namespace

struct PluginInstance::SharedServices : HostCalls {
  // --- commands ---
  static tenon_status run_command(void* context, const tenon_command* command, tenon_command_callback callback,
                                  void* argument, uint64_t* out) {
    return on_loop(context, "run_command", [&]() -> tenon_status {
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
      request.process = me.served_process();
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
    on_loop(context, "command_cancel", [&]() -> tenon_status {
      PluginInstance& me = self(context);
      const auto at = me.commands_.find(command);
      if (at == me.commands_.end()) return TENON_OK;
      const uint64_t theirs = at->second;
      me.commands_.erase(at);
      me.services_.environment.cancel_command(theirs);
      return TENON_OK;
    });
  }

  // --- listening sockets ---
  static tenon_status listen(void* context, tenon_str address, tenon_listen_callback callback, void* argument,
                             uint64_t* out) {
    return on_loop(context, "listen", [&]() -> tenon_status {
      PluginInstance& me = self(context);
      constexpr std::string_view kScheme = "unix:";
      std::string_view path = from_abi(address);
      if (callback == nullptr || out == nullptr) return TENON_ERR_INVALID_ARGUMENT;
      if (!path.starts_with(kScheme)) {
        const std::size_t scheme = path.find("://");
        return scheme == 0 || scheme == std::string_view::npos ? TENON_ERR_INVALID_ARGUMENT : TENON_ERR_UNSUPPORTED;
      }
      path.remove_prefix(kScheme.size());
      if (!path.starts_with("///") || path.size() - 2 > kMaxSocketPath || path.find('\0') != std::string_view::npos)
        return TENON_ERR_INVALID_ARGUMENT;
      if (me.listeners_.size() >= kMaxListeners) return TENON_ERR_EXHAUSTED;
      const uint64_t mine = me.next_handle_++;
      auto asked = me.services_.environment.listen(
          std::string(path.substr(2)), [&me, alive = me.alive_weak_, mine, callback, argument](Result<int> outcome) {
            if (!alive.expired()) answer_listen(me, mine, callback, argument, outcome);
          });
      if (!asked.ok()) return static_cast<tenon_status>(asked.error().code);
      me.listeners_[mine] = {*asked, -1};
      *out = mine;
      return TENON_OK;
    });
  }
  static void answer_listen(PluginInstance& me, uint64_t mine, tenon_listen_callback callback, void* argument,
                            const Result<int>& outcome) {
    const int fd = outcome.ok() ? *outcome : -1;
    tenon_error error;
    if (outcome.ok()) {
      me.listeners_[mine].fd = fd;
    } else {
      me.listeners_.erase(mine);
      to_abi(outcome.error(), error);
    }
    me.call(me.call_number("listening"), [&] { callback(argument, fd, outcome.ok() ? nullptr : &error); });
  }
  static void listen_release(void* context, uint64_t listener) {
    on_loop(context, "listen_release", [&] { return self(context).release_listener(listener), TENON_OK; });
  }

  // --- processes and transports ---
  static tenon_status process_usage(void* context, tenon_str id, tenon_usage* out) {
    return on_loop(context, "process_usage", [&]() -> tenon_status {
      if (out == nullptr) return TENON_ERR_INVALID_ARGUMENT;
      if (!TENON_HAS(out, tenon_usage, cpu_ns))
        return static_cast<void>(too_small(self(context), "tenon_usage", out->struct_size)), TENON_ERR_INVALID_ARGUMENT;
      return to_status(self(context).services_.environment.process_usage(from_abi(id), *out));
    });
  }
  static tenon_status last_control_message(void* context, tenon_str id, tenon_str type, uint64_t* out) {
    return on_loop(context, "last_control_message", [&]() -> tenon_status {
      if (out == nullptr) return TENON_ERR_INVALID_ARGUMENT;
      auto when = self(context).services_.environment.last_control_message(from_abi(id), from_abi(type));
      if (!when.ok()) return static_cast<tenon_status>(when.error().code);
      *out = to_abi_ns(*when);
      return TENON_OK;
    });
  }
  static tenon_status transport_round_trip(void* context, tenon_str transport, uint64_t deadline_ns,
                                           tenon_done_callback done, void* argument) {
    return on_loop(context, "transport_round_trip", [&]() -> tenon_status {
      PluginInstance& me = self(context);
      if (done == nullptr) return TENON_ERR_INVALID_ARGUMENT;
      return to_status(me.services_.environment.transport_round_trip(
          from_abi(transport), from_abi_ns(deadline_ns), [&me, alive = me.alive_weak_, done, argument](Status how) {
            if (!alive.expired()) me.call(me.call_number("round_trip_done"), [&] { done(argument, to_status(how)); });
          }));
    });
  }

  // --- completions ---
  // What the plugin filled must have all the fields of version 1.0; else it is its error, and not read.
  static Error too_small(PluginInstance& me, const char* type, std::uint32_t size) {
    const std::string what = "gave a " + std::string(type) + " whose struct_size is " + std::to_string(size) +
                             "; initialise it with TENON_INIT";
    me.misbehaved(PluginRule::bad_struct, what);
    return Error(errc::internal, me.component_ + " " + what, fault::plugin);
  }
  static Status status_of(PluginInstance& me, const tenon_error* error) {
    if (error == nullptr) return {};
    if (!TENON_HAS(error, tenon_error, text)) return too_small(me, "tenon_error", error->struct_size);
    return to_error(*error);
  }

  static void complete(void* context, uint64_t token, const tenon_error* error) {
    on_any(context, "complete", [&](PluginInstance& me) -> tenon_status {
      me.on_loop([&me, token, status = status_of(me, error)] { me.on_complete(token, status); });
      return TENON_OK;
    });
  }

  static void complete_request(void* context, uint64_t token, const tenon_message* reply, const tenon_error* error) {
    on_any(context, "complete_request", [&](PluginInstance& me) -> tenon_status {
      std::shared_ptr<OwnedMessage> owned;
      Status status = status_of(me, error);
      if (reply != nullptr && !TENON_HAS(reply, tenon_message, origin))
        status = too_small(me, "tenon_message", reply->struct_size);
      else if (reply != nullptr)
        owned = std::make_shared<OwnedMessage>(*reply);
      me.on_loop([&me, token, owned, status = std::move(status)] {
        if (owned == nullptr) return me.on_complete_request(token, nullptr, status);
        const tenon_message message = owned->view();
        me.on_complete_request(token, &message, {});
      });
      return TENON_OK;
    });
  }

  static void complete_check(void* context, uint64_t token, const tenon_health_result* result,
                             const tenon_error* error) {
    on_any(context, "complete_check", [&](PluginInstance& me) -> tenon_status {
      Status status = status_of(me, error);
      if (result != nullptr && !TENON_HAS(result, tenon_health_result, latency_ns)) {
        status = too_small(me, "tenon_health_result", result->struct_size);
        result = nullptr;
      }
      const bool has_result = result != nullptr;
      tenon_health_result copy{};
      std::string reason;
      if (has_result) {
        copy = *result;
        reason = from_abi(result->reason);
      }
      me.on_loop([&me, token, has_result, copy, reason, status = std::move(status)]() mutable {
        copy.reason = to_abi(reason);
        me.on_complete_check(token, has_result ? &copy : nullptr, status);
      });
      return TENON_OK;
    });
  }

  // --- reports of transports ---
  static void transport_state(void* context, uint32_t state, const tenon_error* why) {
    on_any(context, "transport_state", [&](PluginInstance& me) -> tenon_status {
      me.on_loop([&me, state, status = status_of(me, why)] { me.on_transport_state(state, status); });
      return TENON_OK;
    });
  }
  static tenon_status transport_incoming(void* context, uint64_t subscription, const tenon_message* message) {
    return on_any(context, "transport_incoming", [&](PluginInstance& me) -> tenon_status {
      if (message == nullptr) return TENON_ERR_INVALID_ARGUMENT;
      if (!TENON_HAS(message, tenon_message, origin))
        return static_cast<void>(too_small(me, "tenon_message", message->struct_size)), TENON_ERR_INVALID_ARGUMENT;
      return me.on_incoming(subscription, *message);
    });
  }
  static void transport_slow_consumer(void* context, uint64_t subscription, uint64_t count) {
    on_any(context, "transport_slow_consumer", [&](PluginInstance& me) -> tenon_status {
      me.on_loop([&me, subscription, count] { me.on_slow_consumer(subscription, count); });
      return TENON_OK;
    });
  }
  static void transport_back_pressure(void* context, uint32_t on) {
    on_any(context, "transport_back_pressure", [&](PluginInstance& me) -> tenon_status {
      me.on_loop([&me, on] { me.on_back_pressure(on != 0); });
      return TENON_OK;
    });
  }

  static const void* get_interface(void*, tenon_str) { return nullptr; }  // ABI 1.0 has none

  static void fill(tenon_host& host) noexcept {
    host.run_command = run_command;
    host.command_cancel = command_cancel;
    host.process_usage = process_usage;
    host.last_control_message = last_control_message;
    host.transport_round_trip = transport_round_trip;
    host.complete = complete;
    host.complete_request = complete_request;
    host.complete_check = complete_check;
    host.transport_state = transport_state;
    host.transport_incoming = transport_incoming;
    host.transport_slow_consumer = transport_slow_consumer;
    host.transport_back_pressure = transport_back_pressure;
    host.get_interface = get_interface;
    host.listen = listen;
    host.listen_release = listen_release;
  }
};

void PluginInstance::fill_shared_services() noexcept { SharedServices::fill(front_->host); }

}  // namespace tenon::integration
