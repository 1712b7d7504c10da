// `expirytime`: when an event is no longer worth delivering.
#pragma once

#include <algorithm>
#include <optional>

#include "common/rfc3339.hpp"
#include "message/envelope.hpp"

namespace tenon::message {

// The moment, or nullopt where the event never expires. An illegible time counts as none: the sender's mistake must not
// lose its event.
inline std::optional<WallTime> expiry_of(const BaseMessageEnvelope& envelope) {
  if (envelope.expirytime.empty()) return std::nullopt;
  const Result<WallTime> expiry = parse_rfc3339(envelope.expirytime);
  return expiry.ok() ? std::optional(*expiry) : std::nullopt;
}

inline bool has_expired(const BaseMessageEnvelope& envelope, WallTime now) {
  const std::optional<WallTime> expiry = expiry_of(envelope);
  return expiry.has_value() && *expiry <= now;
}

// An expirytime further away than this does not keep a request open longer.
inline constexpr Duration kLongestRequest = std::chrono::hours(24);

// How long a request may still take: until its `expirytime`, else `otherwise`. Not positive: its time is up.
inline Duration time_left(const BaseMessageEnvelope& request, WallTime now, Duration otherwise) {
  const std::optional<WallTime> expiry = expiry_of(request);
  if (!expiry) return otherwise;
  return *expiry > now + kLongestRequest ? kLongestRequest : *expiry - now;
}

}  // namespace tenon::message
