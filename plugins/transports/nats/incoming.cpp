// The half of Transport that takes what threads tell the loop; the model is in transport.hpp.
#include <strings.h>

#include <cstdlib>
#include <utility>

#include "content_type.hpp"
#include "transport.hpp"

namespace tenon::nats {

namespace {

std::span<const std::uint8_t> payload_of(const natsMsg* message) {
  const auto* const data = reinterpret_cast<const std::uint8_t*>(natsMsg_GetData(message));
  return {data, data == nullptr ? 0 : static_cast<std::size_t>(natsMsg_GetDataLength(message))};
}

// The header's value whatever the case of its name; nats.c tells names apart by case. Empty: absent.
std::string_view content_type_header(natsMsg* message) {
  const char* value = nullptr;
  if (natsMsgHeader_Get(message, kContentTypeHeader, &value) == NATS_OK && value != nullptr) return value;
  const char** keys = nullptr;
  int count = 0;
  if (natsMsgHeader_Keys(message, &keys, &count) != NATS_OK) return {};
  for (int i = 0; i < count && value == nullptr; ++i) {
    if (strcasecmp(keys[i], kContentTypeHeader) == 0) natsMsgHeader_Get(message, keys[i], &value);
  }
  std::free(keys);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

// A tenon_message over the message and `content_type`, which must live as long as it.
tenon_message to_abi(natsMsg* message, const std::string& content_type) {
  tenon_message out;
  TENON_INIT(&out);
  const auto payload = payload_of(message);
  static const std::uint8_t kNothing = 0;
  out.topic = sdk::to_abi(natsMsg_GetSubject(message));
  out.encoded = {payload.empty() ? &kNothing : payload.data(), payload.size()};
  out.content_type = sdk::to_abi(content_type);
  if (const char* const reply = natsMsg_GetReply(message)) out.reply = sdk::to_abi(reply);
  return out;
}

}  // namespace

void Transport::wake(void* self) noexcept {
  auto* const transport = static_cast<Transport*>(self);
  const sdk::Host host = transport->host_;
  tenon_error error;
  TENON_INIT(&error);
  const tenon_status status = sdk::guarded(&error, [&] { transport->take_notes(); });
  if (status != TENON_OK) host.log(TENON_LOG_ERROR, {error.text, error.text_size});
}

void Transport::take_notes() {
  if (!connection_) return;
  const auto connection = connection_;  // a note may end it
  Notes::Taken taken = connection->notes().take();
  for (Note& note : taken.notes) {
    if (connection_ != connection) return;
    on_note(std::move(note));
  }
  for (const auto& [subscription, count] : taken.dropped) {
    if (subscriptions_.count(subscription) != 0)
      host_.raw()->transport_slow_consumer(host_.raw()->context, subscription, count);
  }
  start_round_trip();  // one for all that these notes left waiting
}

void Transport::on_note(Note&& note) {
  switch (note.what) {
    case Note::What::handled: return on_handled(note);
    case Note::What::answer: return on_answer(note);
    case Note::What::incoming:
      if (backlog_.empty() && hand_over(note)) return release(note);
      return backlog_.push_back(std::move(note));
    case Note::What::room: return set_back_pressure(false);
    case Note::What::problem: return host_.log(TENON_LOG_WARN, note.failure.text);
    case Note::What::refused: return on_refused(note);
    case Note::What::disconnected:
    case Note::What::reconnected:
    case Note::What::closed: return on_state(note);
  }
}

void Transport::on_handled(const Note& note) {
  const Call* const found = calls_.find(note.number);
  if (found == nullptr) return;  // its deadline has passed
  const Awaited awaited = found->awaited;
  if (!note.failure.ok() || awaited == Awaited::written) return complete(*calls_.take(note.number), note.failure);
  if (awaited == Awaited::answer) return;
  awaiting_.push_back({note.number, note.epoch, awaited != Awaited::settled});
}

// The server tells by pattern, and apart from the round trip that the calls wait for. What was subscribed before the
// connection came has no call left to fail; the log has to do.
void Transport::on_refused(const Note& note) {
  host_.log(TENON_LOG_ERROR, note.failure.text);
  std::vector<std::uint64_t> refused;
  for (const auto& [subscription, wanted] : subscriptions_) {
    if (wanted.pattern == note.pattern && calls_.find(wanted.call) != nullptr) refused.push_back(wanted.call);
  }
  for (const std::uint64_t number : refused) subscription_refused(*calls_.take(number), note.failure);
}

void Transport::subscription_refused(const Call& call, const Failure& failure) {
  subscriptions_.erase(call.subscription);
  // Else nats.c would ask for it again after each reconnect.
  if (connection_) connection_->add({Outgoing::What::unsubscribe, 0, false, nullptr, call.subscription});
  complete(call, failure);
}

void Transport::on_answer(const Note& note) {
  release(note);
  const Call* const asked = calls_.find(note.number);
  // Late, the second of several, or by somebody who guesses numbers: no other call may end by it.
  if (asked == nullptr || asked->awaited != Awaited::answer) return;
  const auto call = calls_.take(note.number);
  if (natsMsg_IsNoResponders(note.message.get()))
    return complete(
        *call, {TENON_ERR_UNAVAILABLE, true, "nobody subscribes to the subject of the request; start its receiver"});
  const std::string content_type = from_wire(content_type_header(note.message.get()), payload_of(note.message.get()));
  const tenon_message out = to_abi(note.message.get(), content_type);
  host_.raw()->complete_request(host_.raw()->context, call->token, &out, nullptr);
}

void Transport::on_state(const Note& note) {
  if (note.what == Note::What::disconnected && phase_ == Phase::connected) {
    phase_ = Phase::reconnecting;
    return report(TENON_TRANSPORT_RECONNECTING, &note.failure);
  }
  if (note.what == Note::What::reconnected && phase_ == Phase::reconnecting) {
    phase_ = Phase::connected;
    return report(TENON_TRANSPORT_CONNECTED);
  }
  if (note.what != Note::What::closed || phase_ == Phase::disconnecting) return;
  if (phase_ == Phase::connecting) return connect_failed(note.failure);
  const Failure why = note.failure;
  let_go();
  phase_ = Phase::broken;
  report(TENON_TRANSPORT_ERROR, &why);
}

// False: the host has no room.
// What the host had no room for and now gets no more: counted as what was dropped.
void Transport::drop_backlog() {
  std::map<std::uint64_t, std::uint64_t> dropped;
  for (const Note& note : backlog_) ++dropped[note.number];
  backlog_.clear();
  for (const auto& [subscription, count] : dropped) {
    if (subscriptions_.count(subscription) != 0)
      host_.raw()->transport_slow_consumer(host_.raw()->context, subscription, count);
  }
}

bool Transport::hand_over(const Note& note) {
  if (subscriptions_.count(note.number) == 0) return true;  // unsubscribed meanwhile
  const std::string content_type = from_wire(content_type_header(note.message.get()), payload_of(note.message.get()));
  const tenon_message out = to_abi(note.message.get(), content_type);
  return host_.raw()->transport_incoming(host_.raw()->context, note.number, &out) != TENON_ERR_EXHAUSTED;
}

void Transport::release(const Note& note) {
  if (connection_) connection_->notes().release(size_of(note.message.get()));
}

void Transport::resume() {
  while (!backlog_.empty()) {
    // Out of the queue first: the host may call back while it takes the event.
    Note note = std::move(backlog_.front());
    backlog_.pop_front();
    if (!hand_over(note)) return backlog_.push_front(std::move(note));
    release(note);
  }
}

}  // namespace tenon::nats
