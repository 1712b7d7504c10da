// Calls of the host that wait for an answer from the remote, by the number that the answer will carry.
//
// The model. A call is added with its deadline and leaves exactly once: taken by its answer, taken with all others when
// the connection is lost, or handed to `expired` when its deadline has passed. One timer serves them all, set for the
// earliest deadline, so that a call costs no timer of the host's. All of it on the loop thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <tenon/sdk/host.hpp>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tenon::transports {

template <class Call>
class PendingCalls {
 public:
  static constexpr std::size_t kMax = 65536;

  PendingCalls(sdk::Host host, std::function<void(Call&&)> expired) : host_(host), expired_(std::move(expired)) {}

  // Throws TENON_ERR_EXHAUSTED beyond kMax.
  void add(std::uint64_t number, std::uint64_t deadline_ns, Call call) {
    if (calls_.size() >= kMax)
      throw sdk::Error(TENON_ERR_EXHAUSTED,
                       "65536 calls wait for an answer already; send slower, or use more connections",
                       TENON_FAULT_REMOTE, true);
    calls_.emplace(number, Entry{deadline_ns, std::move(call)});
    deadlines_.emplace(deadline_ns, number);
    if (deadline_ns < armed_for_) arm(deadline_ns);
  }

  // Null: gone already.
  const Call* find(std::uint64_t number) const {
    const auto found = calls_.find(number);
    return found == calls_.end() ? nullptr : &found->second.call;
  }

  std::optional<Call> take(std::uint64_t number) {
    const auto found = calls_.find(number);
    if (found == calls_.end()) return std::nullopt;
    std::optional<Call> call(std::move(found->second.call));
    deadlines_.erase({found->second.deadline_ns, number});
    calls_.erase(found);
    return call;  // the timer stays: at its time it finds nothing due and sets itself for the next
  }

  std::vector<Call> take_all() {
    std::vector<Call> all;
    for (const auto& [deadline, number] : deadlines_) all.push_back(std::move(calls_.find(number)->second.call));
    calls_.clear();
    deadlines_.clear();
    timer_.cancel();
    armed_for_ = kNever;
    return all;
  }

  std::size_t size() const noexcept { return calls_.size(); }

 private:
  static constexpr std::uint64_t kNever = UINT64_MAX;
  struct Entry {
    std::uint64_t deadline_ns;
    Call call;
  };

  void arm(std::uint64_t deadline_ns) {
    const std::uint64_t now = host_.monotonic_ns();
    timer_ = host_.start_timer(deadline_ns > now ? deadline_ns - now : 0, 0, [this] { expire(); });
    armed_for_ = deadline_ns;
  }

  void expire() {
    armed_for_ = kNever;
    const std::uint64_t now = host_.monotonic_ns();
    std::vector<Call> due;
    while (!deadlines_.empty() && deadlines_.begin()->first <= now)
      due.push_back(std::move(*take(deadlines_.begin()->second)));
    if (!deadlines_.empty()) arm(deadlines_.begin()->first);
    for (Call& call : due) expired_(std::move(call));
  }

  sdk::Host host_;
  std::function<void(Call&&)> expired_;
  std::unordered_map<std::uint64_t, Entry> calls_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> deadlines_;  // (deadline, number)
  sdk::Timer timer_;
  std::uint64_t armed_for_ = kNever;
};

}  // namespace tenon::transports
