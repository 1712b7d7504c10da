#include "message/request_table.hpp"

#include <algorithm>

namespace tenon::message {

std::string RequestTable::key_of(std::string_view id, std::string_view replyto) {
  std::string key;
  key.reserve(id.size() + replyto.size() + 1);
  key.append(replyto).append(1, ' ').append(id);  // a topic has no spaces
  return key;
}

void RequestTable::schedule(MonotonicTime when, const std::string& key, std::uint64_t number) {
  due_.push_back({when, key, number});
  std::push_heap(due_.begin(), due_.end(), std::greater<>{});
}

Status RequestTable::open(PendingRequest request) {
  if (pending_ >= kMaxPending)
    return Error(errc::exhausted, "100,000 requests wait for an answer already; wait for some to end", fault::caller, true);
  std::string key = key_of(request.id, request.replyto);
  const auto [at, fresh] = entries_.try_emplace(key);
  if (!fresh && !at->second.closed)
    return Error(errc::already_exists, "a request with this id and replyto waits already; give each request its own id",
                 fault::caller);
  at->second = Entry{std::move(request), false, ++next_number_};
  ++pending_;
  schedule(at->second.request.deadline, key, next_number_);
  return {};
}

RequestTable::Match RequestTable::take(std::string_view topic, std::string_view correlationid, MonotonicTime now,
                                       PendingRequest& out) {
  if (entries_.empty() || correlationid.empty()) return Match::none;
  const auto at = entries_.find(key_of(correlationid, topic));
  if (at == entries_.end()) return Match::none;
  if (at->second.closed || at->second.request.deadline <= now) return Match::late;
  out = at->second.request;
  at->second.closed = true;
  --pending_;
  return Match::answer;
}

void RequestTable::withdraw(std::string_view id, std::string_view replyto) {
  const auto at = entries_.find(key_of(id, replyto));
  if (at == entries_.end()) return;
  if (!at->second.closed) --pending_;
  entries_.erase(at);
}

std::optional<MonotonicTime> RequestTable::next_deadline() const noexcept {
  if (due_.empty()) return std::nullopt;
  return due_.front().when;
}

void RequestTable::expire(MonotonicTime now, const std::function<void(const PendingRequest&)>& overdue) {
  while (!due_.empty() && due_.front().when <= now) {
    std::pop_heap(due_.begin(), due_.end(), std::greater<>{});
    const Due due = std::move(due_.back());
    due_.pop_back();
    const auto at = entries_.find(due.key);
    if (at == entries_.end() || at->second.number != due.number) continue;
    // First visit at the deadline: an open request is overdue, and is then remembered; second visit: forgotten.
    if (due.when >= at->second.request.deadline + kRemembered) {
      entries_.erase(at);
      continue;
    }
    schedule(at->second.request.deadline + kRemembered, due.key, due.number);
    if (at->second.closed) continue;
    at->second.closed = true;
    --pending_;
    const PendingRequest request = at->second.request;
    overdue(request);
  }
}

}  // namespace tenon::message
