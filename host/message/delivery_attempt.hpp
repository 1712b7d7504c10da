// What became of an event's deliveries that were not acknowledged; it goes with the event into the dead letter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.hpp"

namespace tenon {
class JsonWriter;
}

namespace tenon::message {

// How a delivery ended without an acknowledgement.
enum class AttemptEnd : std::uint8_t {
  refused,    // a nack
  timed_out,  // no word within ack_timeout
  exited,     // the receiver ended with the event in its hands
};
std::string_view to_string(AttemptEnd end) noexcept;  // "nack", "ack_timeout", "exit"

struct DeliveryAttempt {
  std::string receiver;  // "counter.1"
  WallTime ended{};
  AttemptEnd end = AttemptEnd::refused;
};

// The last kKeptAttempts that failed, oldest first.
using DeliveryHistory = std::vector<DeliveryAttempt>;
inline constexpr std::size_t kKeptAttempts = 16;
// An array of {receiver, ended_by, time}, as people read it in dead letters.
void write_history(JsonWriter& json, std::span<const DeliveryAttempt> history);

// How often an event was delivered, and what became of it. Borrowed; made of a number where there is no more to tell.
struct Attempts {
  Attempts(std::uint32_t deliveries = 0, const DeliveryHistory* failed = nullptr) noexcept  // NOLINT: on purpose
      : count(deliveries), history(failed == nullptr ? std::span<const DeliveryAttempt>() : *failed) {}
  std::uint32_t count;
  std::span<const DeliveryAttempt> history;
};

}  // namespace tenon::message
