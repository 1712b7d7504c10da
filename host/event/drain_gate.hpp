// Counts work in flight, so that closing can wait for it (Seastar's `gate`).
//
// The model. Work enters and holds a token while it lasts; the token leaves when destroyed. After close() nobody enters
// any more, and once the last token has left, the callback of close() runs once, in a later callback of the loop: never
// inside close() and never inside a token's destructor, so it may destroy the gate and its owner.
//
// [loop] throughout. The gate outlives its tokens and may be destroyed when it is open and empty, or once closed and
// empty.
#pragma once

#include <cassert>
#include <cstddef>
#include <utility>

#include "event/loop.hpp"

namespace tenon::event {

class DrainGate {
 public:
  // One piece of work in flight. Empty if the gate was closed.
  class [[nodiscard]] Token {
   public:
    Token() = default;
    Token(Token&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Token& operator=(Token&& other) noexcept {
      if (this != &other) {
        leave();
        gate_ = std::exchange(other.gate_, nullptr);
      }
      return *this;
    }
    ~Token() { leave(); }
    explicit operator bool() const noexcept { return gate_ != nullptr; }
    void leave() noexcept {
      if (DrainGate* gate = std::exchange(gate_, nullptr)) gate->left();
    }

   private:
    friend class DrainGate;
    explicit Token(DrainGate* gate) noexcept : gate_(gate) {}
    DrainGate* gate_ = nullptr;
  };

  explicit DrainGate(Loop& loop) noexcept : loop_(loop) {}
  DrainGate(const DrainGate&) = delete;
  DrainGate& operator=(const DrainGate&) = delete;
  ~DrainGate() { assert(in_flight_ == 0 && "close the gate and wait for its callback before destroying it"); }

  // An empty token once close() was called: the caller must then refuse the work.
  Token enter() noexcept {
    if (closed_) return Token();
    ++in_flight_;
    return Token(this);
  }

  // Closes for good; must be called at most once. `all_left` is required.
  void close(Loop::Task all_left) {
    assert(!closed_ && "a gate is closed once");
    closed_ = true;
    all_left_ = std::move(all_left);
    if (in_flight_ == 0) loop_.post(std::exchange(all_left_, nullptr));
  }

  bool closed() const noexcept { return closed_; }
  std::size_t in_flight() const noexcept { return in_flight_; }

 private:
  void left() noexcept {
    if (--in_flight_ == 0 && closed_) loop_.post(std::exchange(all_left_, nullptr));
  }

  Loop& loop_;
  Loop::Task all_left_;
  std::size_t in_flight_ = 0;
  bool closed_ = false;
};

}  // namespace tenon::event
