#include "message/request_table.hpp"

#include <algorithm>

namespace tenon::message {

namespace {

constexpr SubscriberId kNobody = Asker{}.receiver;

std::size_t texts_of(const PendingRequest& request) noexcept {
  return request.id.size() + request.replyto.size() + request.correlationid.size();
}

}  // namespace

std::string RequestTable::key_of(std::string_view id, std::string_view replyto) {
  std::string key;
  key.reserve(id.size() + replyto.size() + 1);
  key.append(replyto).append(1, ' ').append(id);  // a topic has no spaces
  return key;
}

void RequestTable::schedule(MonotonicTime when, const std::string& key, std::uint64_t number) {
  if (due_.size() > 2 * entries_.size() + 1024) {  // mostly of requests that are gone
    std::erase_if(due_, [this](const Due& due) {
      const auto at = entries_.find(due.key);
      return at == entries_.end() || at->second.number != due.number;
    });
    std::make_heap(due_.begin(), due_.end(), std::greater<>{});
  }
  due_.push_back({when, key, number});
  std::push_heap(due_.begin(), due_.end(), std::greater<>{});
}

// It is pending no longer.
void RequestTable::release(const Entry& entry) {
  --pending_;
  pending_texts_ -= texts_of(entry.request);
  const SubscriberId asker = entry.request.asker.receiver;
  if (const auto own = pending_of_.find(asker); own != pending_of_.end() && --own->second == 0) pending_of_.erase(own);
}

void RequestTable::forget_oldest() {
  const auto& [oldest, number] = closed_.front();
  const auto at = entries_.find(oldest);
  remembered_texts_ -= oldest.size();
  if (at != entries_.end() && at->second.number == number) entries_.erase(at);
  closed_.pop_front();
}

// Of a closed request only the key is needed.
void RequestTable::close(const std::string& key, Entry& entry) {
  release(entry);
  entry.closed = true;
  entry.request.id.clear(), entry.request.id.shrink_to_fit();
  entry.request.replyto.clear(), entry.request.replyto.shrink_to_fit();
  entry.request.correlationid.clear(), entry.request.correlationid.shrink_to_fit();
  closed_.emplace_back(key, entry.number);
  remembered_texts_ += key.size();
  // Never the one just closed: the caller still holds it.
  while (closed_.size() > 1 && (closed_.size() > kMaxRemembered || remembered_texts_ > kMaxRememberedTexts))
    forget_oldest();
}

Status RequestTable::open(PendingRequest request) {
  if (request.id.size() + request.replyto.size() + request.correlationid.size() > kMaxTexts)
    return Error(errc::invalid_argument,
                 "id, replyto and correlationid of a request are longer than 8192 octets; shorten them", fault::caller);
  const auto too_many = [](const char* what) {
    return Error(errc::exhausted, std::string(what) + " wait for an answer already; wait for some to end",
                 fault::caller, true);
  };
  if (pending_ >= kMaxPending) return too_many("100,000 requests");
  if (pending_texts_ + texts_of(request) > kMaxPendingTexts) return too_many("requests of 16 MiB");
  const SubscriberId asker = request.asker.receiver;
  const auto own = pending_of_.find(asker);
  const std::size_t share = asker == kNobody ? kMaxPendingFromOutside : kMaxPendingOfOne;
  if (own != pending_of_.end() && own->second >= share)
    return too_many(asker == kNobody ? "50,000 requests from outside" : "10,000 requests of this sender");
  std::string key = key_of(request.id, request.replyto);
  const auto [at, fresh] = entries_.try_emplace(key);
  if (!fresh && !at->second.closed)
    return Error(errc::already_exists, "a request with this id and replyto waits already; give each request its own id",
                 fault::caller);
  ++pending_of_[asker];
  ++pending_;
  pending_texts_ += texts_of(request);
  at->second = Entry{std::move(request), false, ++next_number_};
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
  close(at->first, at->second);
  return Match::answer;
}

void RequestTable::withdraw(std::string_view id, std::string_view replyto) {
  const auto at = entries_.find(key_of(id, replyto));
  if (at == entries_.end()) return;
  if (!at->second.closed) release(at->second);
  entries_.erase(at);
}

void RequestTable::forget_asker(SubscriberId receiver) {
  if (pending_ == 0) return;
  std::vector<std::string> keys;  // closing may forget others, so not while walking
  for (const auto& [key, entry] : entries_)
    if (!entry.closed && entry.request.asker.receiver == receiver) keys.push_back(key);
  for (const std::string& key : keys)
    if (const auto at = entries_.find(key); at != entries_.end()) close(at->first, at->second);
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
    const PendingRequest request = at->second.request;
    close(due.key, at->second);
    overdue(request);
  }
}

}  // namespace tenon::message
