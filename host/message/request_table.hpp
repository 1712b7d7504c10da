// Requests that wait for their answer.
//
// The model. An event with `replyto` is a request. Its answer comes on the topic `replyto` and has the request's id as
// its correlationid. The first answer goes to the asker; after it, and after the deadline, further answers are late.
// The table remembers an answered or overdue request for a while to tell a late answer from an ordinary event.
//
// Pure: time comes in as arguments. [loop]
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/clock.hpp"
#include "common/result.hpp"
#include "message/routing_table.hpp"

namespace tenon::message {

// Who asked: a receiver, or somebody outside who is known by a token (a client of the API, a transport).
struct Asker {
  SubscriberId receiver = 0xffffffff;
  std::uint64_t token = 0;
};

struct PendingRequest {
  std::string id;              // of the request
  std::string replyto;
  std::string correlationid;   // the asker's own, to be given back; may be empty
  Asker asker;
  MonotonicTime deadline;
};

class RequestTable {
 public:
  static constexpr std::size_t kMaxPending = 100'000;
  static constexpr std::size_t kMaxPendingOfOne = 10'000;             // of one receiver, so that none takes them all
  static constexpr std::size_t kMaxPendingFromOutside = 50'000;       // of all who are no receivers
  static constexpr std::size_t kMaxPendingTexts = 16 * 1024 * 1024;   // octets of their texts
  static constexpr std::size_t kMaxRememberedTexts = 16 * 1024 * 1024;
  static constexpr Duration kRemembered = std::chrono::seconds(60);  // how long a late answer is recognised …
  static constexpr std::size_t kMaxRemembered = 100'000;             // … at most of so many requests, the latest
  static constexpr std::size_t kMaxTexts = 8192;  // octets of id, replyto and correlationid together

  enum class Match : std::uint8_t { none, answer, late };

  // errc::already_exists if a request of the same id and replyto waits; errc::exhausted beyond kMaxPending…,
  // errc::invalid_argument beyond kMaxTexts.
  Status open(PendingRequest request);
  // Whether an event on this topic with this correlationid answers a request. `answer` closes the request and moves it
  // out.
  Match take(std::string_view topic, std::string_view correlationid, MonotonicTime now, PendingRequest& out);
  // Forgets a request that was never sent.
  void withdraw(std::string_view id, std::string_view replyto);
  // The asker is gone: its requests are closed, answers to them are late. Linear in the requests.
  void forget_asker(SubscriberId receiver);

  std::optional<MonotonicTime> next_deadline() const noexcept;
  // Calls back for each overdue request, which is closed before.
  void expire(MonotonicTime now, const std::function<void(const PendingRequest&)>& overdue);
  std::size_t pending() const noexcept { return pending_; }

 private:
  struct Entry {
    PendingRequest request;
    bool closed = false;
    std::uint64_t number = 0;
  };
  struct Due {
    MonotonicTime when;
    std::string key;
    std::uint64_t number;
    bool operator>(const Due& other) const noexcept { return when > other.when; }
  };
  static std::string key_of(std::string_view id, std::string_view replyto);
  void schedule(MonotonicTime when, const std::string& key, std::uint64_t number);
  void close(const std::string& key, Entry& entry);
  void release(const Entry& entry);
  void forget_oldest();

  std::unordered_map<std::string, Entry> entries_;
  std::vector<Due> due_;  // min-heap; some are of requests that are gone
  std::deque<std::pair<std::string, std::uint64_t>> closed_;  // in order of closing; some are gone
  std::uint64_t next_number_ = 0;
  std::size_t pending_ = 0, pending_texts_ = 0;
  std::size_t remembered_texts_ = 0;  // of all in closed_, gone or not
  std::unordered_map<SubscriberId, std::size_t> pending_of_;  // by receiver, outsiders as one; only those that ask now
};

}  // namespace tenon::message
