#include "inbox.hpp"

#include <algorithm>

namespace tenon::local {

bool Inbox::hand_over(std::uint64_t subscription, const Message& message, std::string_view reply) {
  const tenon_message out = to_abi(message, reply);
  return host_.raw()->transport_incoming(host_.raw()->context, subscription, &out) != TENON_ERR_EXHAUSTED;
}

bool Inbox::offer(std::uint64_t subscription, const Message& message, std::string_view reply) {
  if (waiting_.empty() && hand_over(subscription, message, reply)) return true;
  Waiting waiting{subscription,
                  std::string(message.topic),
                  std::string(message.origin),
                  std::string(message.content_type),
                  std::string(reply),
                  message.hops,
                  std::string(reinterpret_cast<const char*>(message.encoded.data()), message.encoded.size())};
  if (octets_ + waiting.octets() > max_octets_) {
    host_.raw()->transport_slow_consumer(host_.raw()->context, subscription, 1);
    return false;
  }
  octets_ += waiting.octets();
  waiting_.push_back(std::move(waiting));
  return true;
}

void Inbox::resume() {
  while (!waiting_.empty()) {
    // Out of the queue first: the host may call back, and even offer again, while it takes the event.
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    octets_ -= next.octets();
    const Message message{next.topic,
                          next.origin,
                          next.content_type,
                          next.hops,
                          {reinterpret_cast<const std::uint8_t*>(next.encoded.data()), next.encoded.size()}};
    if (hand_over(next.subscription, message, next.reply)) continue;
    octets_ += next.octets();
    waiting_.push_front(std::move(next));
    return;
  }
}

void Inbox::forget(std::uint64_t subscription) {
  const auto kept = std::remove_if(waiting_.begin(), waiting_.end(), [&](const Waiting& waiting) {
    if (waiting.subscription == subscription) octets_ -= waiting.octets();
    return waiting.subscription == subscription;
  });
  waiting_.erase(kept, waiting_.end());
}

}  // namespace tenon::local
