// Takes what could not be delivered: keeps it in the store, counts it, and tells about it as system.dead_letter.
//
// The event of a dead letter is carried unharmed inside the data of the system event: as JSON where it can be expressed
// so, else as base64 of its bytes. A dead letter about a system event is only counted, so none ever makes another.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "event/loop.hpp"
#include "integration/system_events.hpp"
#include "message/dead_letter.hpp"
#include "message/encoder.hpp"

namespace tenon::integration {

class DeadLetterDesk final : public message::DeadLetterSink {
 public:
  DeadLetterDesk(event::Loop& loop, std::size_t capacity, std::size_t max_bytes)
      : loop_(loop), store_(capacity, max_bytes) {}
  // Until then dead letters are kept and counted, but not told. Both must outlive this; `json` writes JSON.
  void connect(SystemEvents& events, message::MessageSerializer& json, message::SerializerDirectory& serializers);
  void disconnect() noexcept { events_ = nullptr, encoder_.reset(); }

  void dead_letter(const message::Event& event, message::DeadLetterReason reason, std::string_view receiver,
                   std::string_view detail, const message::Attempts& attempts) override;

  message::DeadLetterStore& store() noexcept { return store_; }
  std::uint64_t count(message::DeadLetterReason reason) const noexcept {
    return counts_[static_cast<std::size_t>(reason)];
  }
  // The event as a JSON text, or empty if it cannot be expressed.
  std::string event_as_json(const message::Event& event);

 private:
  std::string describe(const message::Event& event, message::DeadLetterReason reason, std::string_view receiver,
                       std::string_view detail, const message::Attempts& attempts);

  event::Loop& loop_;
  message::DeadLetterStore store_;
  std::array<std::uint64_t, message::kDeadLetterReasons> counts_{};
  SystemEvents* events_ = nullptr;
  std::unique_ptr<message::Encoder> encoder_;
  message::GrowingBuffer buffer_{256 * 1024 * 1024};
};

}  // namespace tenon::integration
