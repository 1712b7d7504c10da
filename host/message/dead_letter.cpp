#include "message/dead_letter.hpp"

#include <algorithm>

namespace tenon::message {

std::string_view to_string(DeadLetterReason reason) noexcept {
  static constexpr std::string_view names[kDeadLetterReasons] = {
      "malformed", "too_large", "bad_topic", "not_allowed", "reserved", "schema", "no_receiver", "no_such_target",
      "receiver_ended", "mailbox_full", "dropped_oldest", "rejected", "blocked", "expired", "attempts_exhausted",
      "channel_closed", "untranslatable", "late_reply", "memory_limit", "hop_limit", "transport_failed", "shutdown",
      "duplicate_request", "request_limit"};
  return names[static_cast<std::size_t>(reason)];
}

std::uint64_t DeadLetterStore::add(const Event& event, DeadLetterReason reason, std::string_view receiver,
                                   std::string_view sender, std::string_view detail, const Attempts& attempts,
                                   WallTime when) {
  const std::uint64_t number = next_number_++;
  const std::size_t size = MessageRef::cost(event);
  if (size > budget_.limit() || capacity_ == 0) {
    ++evicted_;
    return 0;
  }
  make_room(size);
  letters_.push_back({number, reason, std::string(receiver), std::string(sender), std::string(detail),
                      attempts.count, {attempts.history.begin(), attempts.history.end()}, when,
                      MessageRef::copy(event, budget_)});
  return number;
}

void DeadLetterStore::make_room(std::size_t for_size) {
  while (!letters_.empty() && (letters_.size() >= capacity_ || !budget_.has_room(for_size))) {
    letters_.pop_front();
    ++evicted_;
  }
}

const DeadLetter* DeadLetterStore::find(std::uint64_t number) const noexcept {
  const auto at = std::lower_bound(letters_.begin(), letters_.end(), number,
                                   [](const DeadLetter& letter, std::uint64_t n) { return letter.number < n; });
  return at != letters_.end() && at->number == number ? &*at : nullptr;
}

bool DeadLetterStore::drop(std::uint64_t number) {
  const auto at =
      std::find_if(letters_.begin(), letters_.end(), [&](const DeadLetter& l) { return l.number == number; });
  if (at == letters_.end()) return false;
  letters_.erase(at);
  return true;
}

void DeadLetterStore::set_capacity(std::size_t capacity) {
  capacity_ = capacity;
  while (letters_.size() > capacity_) {
    letters_.pop_front();
    ++evicted_;
  }
}

}  // namespace tenon::message
