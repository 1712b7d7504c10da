#include "message/delivery_attempt.hpp"

#include "common/json_writer.hpp"
#include "common/rfc3339.hpp"

namespace tenon::message {

std::string_view to_string(AttemptEnd end) noexcept {
  switch (end) {
    case AttemptEnd::refused: return "nack";
    case AttemptEnd::timed_out: return "ack_timeout";
    case AttemptEnd::exited: return "exit";
  }
  return "unknown";
}

void write_history(JsonWriter& json, std::span<const DeliveryAttempt> history) {
  json.begin_array();
  for (const DeliveryAttempt& attempt : history)
    json.begin_object()
        .member("receiver", attempt.receiver)
        .member("ended_by", to_string(attempt.end))
        .member("time", format_rfc3339(attempt.ended).view())
        .end_object();
  json.end_array();
}

}  // namespace tenon::message
