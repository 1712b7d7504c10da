// One connection: an instance of a transport plugin, with a callback for every call under way.
//
// The model. Each asynchronous call has a token; its callback runs exactly once: with the plugin's completion, with a
// timeout when that has not come kCompletionSlack after the deadline (it is then dropped and counted), or with
// `cancelled` when the connection is destroyed. Incoming messages may come from any thread: they are copied into a
// bounded queue and handed over in a turn of the loop; a full queue tells the plugin to stop and to offer again after
// resume().
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include <tenon/transport.h>

#include "integration/host_config.hpp"
#include "integration/plugin_instance.hpp"
#include "loader/plugin_registry.hpp"
#include "message/envelope.hpp"

namespace tenon::integration {

enum class TransportState : std::uint8_t {
  connecting = 0,
  connected = 1,
  reconnecting = 2,
  disconnected = 3,
  error = 4
};
std::string_view to_string(TransportState state) noexcept;

// A message on its way out, borrowed for the call.
struct OutgoingMessage {
  std::string_view topic;
  std::string_view encoded;
  std::string_view content_type;
  std::string_view origin;
  std::uint32_t hops = 0;
  const message::BaseMessageEnvelope* event = nullptr;  // what `encoded` says, for transports that read attributes
};

// A message that came in; owns its bytes, with padding behind them.
struct IncomingMessage {
  std::uint64_t subscription = 0;
  std::string topic, content_type, reply, origin;
  std::string padded;  // `encoded` and kReadPadding octets
  std::uint32_t hops = 0;
  std::string_view encoded() const noexcept { return std::string_view(padded).substr(0, padded.size() - 64); }
};

class PluginTransport final : private PluginInstance {
 public:
  static constexpr std::size_t kMaxIncoming = 8192;                       // messages
  static constexpr std::size_t kMaxIncomingBytes = 64u * 1024 * 1024;

  struct Events {
    std::function<void(TransportState, const Status& why)> state;
    std::function<void(IncomingMessage)> incoming;
    std::function<void(std::uint64_t subscription, std::uint64_t dropped)> slow_consumer;
    std::function<void(bool on)> back_pressure;
  };
  using Done = std::function<void(Status)>;
  using RequestDone = std::function<void(Result<IncomingMessage>)>;

  static Result<std::unique_ptr<PluginTransport>> make(PluginServices& services, const loader::Component& component,
                                                       const TransportConfig& config, Events events);
  ~PluginTransport() override;

  // Every call: `done` exactly once, perhaps within the call.
  void connect(Duration timeout, Done done);
  void disconnect(Duration timeout, Done done);
  void send(const OutgoingMessage& message, bool settle, Duration timeout, Done done);
  void request(const OutgoingMessage& message, Duration timeout, RequestDone done);
  void reply(std::string_view to, const OutgoingMessage& message, Duration timeout, Done done);
  void subscribe(std::uint64_t subscription, std::string_view pattern, std::string_view group, Duration timeout,
                 Done done);
  void unsubscribe(std::uint64_t subscription, Duration timeout, Done done);
  void health_check(Duration timeout, Done done);

  TransportState state() const noexcept { return state_; }
  bool has_groups() const noexcept { return (info_flags_ & TENON_TRANSPORT_GROUPS) != 0; }
  bool reads_attributes() const noexcept { return (info_flags_ & TENON_TRANSPORT_ATTRIBUTES) != 0; }
  bool can_request() const noexcept { return (info_flags_ & TENON_TRANSPORT_REQUESTS) != 0; }
  std::uint64_t max_message() const noexcept { return max_message_; }
  const std::string& default_serializer() const noexcept { return default_serializer_; }
  std::size_t calls_under_way() const noexcept { return calls_.size(); }

 private:
  PluginTransport(PluginServices& services, const loader::Component& component, const TransportConfig& config,
                  Events events);
  struct Call {
    Done done;
    RequestDone request_done;
    event::Handle deadline;
  };
  template <class Function>
  void begin(std::string_view name, Duration timeout, Call call, Function&& function);
  void finish(std::uint64_t token, Result<IncomingMessage> result);
  // The message as the plugin reads it: its attributes too, if it wants them. Valid until the next one.
  tenon_message to_abi(const OutgoingMessage& message);
  void refresh_info();
  void drain_incoming();

  void on_complete(std::uint64_t token, Status status) override;
  void on_complete_request(std::uint64_t token, const tenon_message* reply, Status status) override;
  void on_transport_state(std::uint32_t state, Status why) override;
  tenon_status on_incoming(std::uint64_t subscription, const tenon_message& message) override;
  void on_slow_consumer(std::uint64_t subscription, std::uint64_t count) override;
  void on_back_pressure(bool on) override;

  const tenon_transport* table_;
  void* self_ = nullptr;
  Events events_;
  TransportState state_ = TransportState::disconnected;
  std::uint32_t info_flags_ = 0;
  std::uint64_t max_message_ = 0;
  std::string default_serializer_;
  tenon_event event_;                              // of the message that is going out
  std::vector<tenon_attribute> event_extensions_;
  std::unordered_map<std::uint64_t, Call> calls_;
  std::uint64_t next_token_ = 1;

  std::mutex incoming_mutex_;  // guards the four below
  std::deque<IncomingMessage> incoming_;
  std::size_t incoming_bytes_ = 0;
  bool drain_posted_ = false;
  bool refused_ = false;
};

}  // namespace tenon::integration
