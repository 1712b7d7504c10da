// Those who ask and are no receivers of the router: clients of the control API, transports. Each has a token and a
// callback.
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>
#include <utility>

#include "message/event.hpp"

namespace tenon::integration {

class Askers {
 public:
  // The answer, borrowed; nullptr: none came in time.
  using Answered = std::function<void(const message::Event* answer)>;

  // The callback runs at most once. [loop]
  std::uint64_t add(Answered answered) {
    callbacks_.emplace(++last_, std::move(answered));
    return last_;
  }
  void remove(std::uint64_t token) { callbacks_.erase(token); }
  void answer(std::uint64_t token, const message::Event* event) {
    const auto at = callbacks_.find(token);
    if (at == callbacks_.end()) return;  // withdrawn: its client has gone
    const Answered answered = std::move(at->second);
    callbacks_.erase(at);
    answered(event);
  }

 private:
  std::uint64_t last_ = 0;
  std::unordered_map<std::uint64_t, Answered> callbacks_;
};

}  // namespace tenon::integration
