// One route out: a receiver of the router whose outlet is a transport's connection.
//
// What is on its way to the remote is in flight. at_most_once: settled when the connection has taken the event; one
// that fails is dead-lettered as transport_failed. at_least_once: settled when the remote has it; one that fails
// returns to the mailbox and is sent again after a pause that grows from 100 ms to 5 s, up to the delivery's
// `attempts`. While there is no connection, or it is down or pushes back, events wait in the mailbox.
//
// retire() takes nothing new, and sends what waits. close() is the end: what waits, and what the connection took and
// never completed, is dead-lettered as `shutdown`.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "event/loop.hpp"
#include "integration/host_config.hpp"
#include "integration/journey.hpp"
#include "integration/plugin_transport.hpp"
#include "message/encoder.hpp"
#include "message/router.hpp"

namespace tenon::integration {

class TransportRoute final : public message::Outlet {
 public:
  static constexpr std::size_t kMaxOnTheWay = 1024;

  struct Services {
    event::Loop& loop;
    message::MessageRouter& router;
    message::EventBudget& budget;
    message::DeadLetterSink& dead_letters;
    message::SerializerDirectory& serializers;
    Duration request_timeout;
    std::string node, run;  // what an event that leaves here for the first time is marked with
    // An answer that came back over the transport for an event that was sent as a request.
    std::function<void(const std::string& request_id, const std::string& replyto, IncomingMessage)> answered;
  };

  // Without a connection at first: what comes waits in its mailbox.
  TransportRoute(Services services, const RouteConfig& config, std::string transport_name, Duration timeout);
  ~TransportRoute() override;
  Status subscribe();

  message::Offer offer(const message::Event& event, std::uint32_t attempt) override;
  // From now on events leave over this connection, in what this serializer writes; both are borrowed until drop().
  void use(PluginTransport& connection, message::MessageSerializer& serializer);
  // The connection ends. Calls under way must still complete, with an error.
  void drop();
  // Runs at the end of each turn in which something that was on its way has been settled.
  void when_settled(std::function<void()> look) { settled_ = std::move(look); }
  // Nothing waits and nothing is on its way.
  bool drained() const noexcept;
  // Events are for others from now on.
  void retire();
  // Nothing is sent any more; see above. Twice is once. `why`: "the host stopped".
  void close(std::string_view why = "the host stopped");
  void set_timeout(Duration timeout) noexcept { timeout_ = timeout; }
  // The connection came up, or takes events again.
  void wake();
  void set_back_pressure(bool on);

  message::ReceiverId receiver() const noexcept { return receiver_; }
  const RouteConfig& config() const noexcept { return config_; }
  std::uint64_t sent() const noexcept { return sent_; }
  std::uint64_t failed() const noexcept { return failed_; }
  bool quiet() const noexcept { return on_the_way_.empty(); }

 private:
  struct Sending;
  struct Link {
    PluginTransport& connection;
    message::MessageSerializer& serializer;
    message::Encoder encoder;
  };
  bool encode(const message::Event& event, std::uint32_t attempt, message::Offer& refusal);
  void send(const message::Event& event, const OutgoingMessage& out, const std::shared_ptr<Sending>& sending);
  bool keeps_until_settled() const noexcept;
  void completed(const std::shared_ptr<Sending>& sending, const Status& status);
  void cool_down();
  void publish_answer(const std::string& id, const std::string& replyto, IncomingMessage answer);
  void send_request(const message::Event& event, const OutgoingMessage& out, const std::shared_ptr<Sending>& sending);
  bool connected() const noexcept;

  Services services_;
  RouteConfig config_;
  std::string name_;
  std::optional<Link> link_;  // none while there is no connection
  message::GrowingBuffer buffer_;
  std::vector<message::Attribute> extensions_, added_;  // of the event that leaves
  Duration timeout_;
  message::ReceiverId receiver_;
  std::uint64_t position_ = 0;          // counts events given to the connection
  std::map<std::uint64_t, std::shared_ptr<Sending>> on_the_way_;  // by position: those that are not settled
  bool pushed_back_ = false, cooling_ = false, waiting_ = false, closed_ = false;
  std::function<void()> settled_;
  Duration pause_ = std::chrono::milliseconds(100);
  event::Handle pause_timer_;
  std::string refusal_, topic_;
  std::uint64_t sent_ = 0, failed_ = 0;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

// The topic after a route's `as`: {topic} stands for what it was; an empty pattern changes nothing.
std::string apply_as(std::string_view as, std::string_view topic);

}  // namespace tenon::integration
