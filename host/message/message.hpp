// An event that waits: an owned, immutable, counted copy of an Event.
//
// One block of memory holds the attributes and the encoded bytes; all views of event() point into it. Copies of the
// reference share it (a fan-out to a hundred mailboxes holds one block, see
// MessageDispatcher::SharedCopy). References are counted without atomics: loop
// thread only. Every block is charged to an EventBudget from creation to release, which is how `limits.events` holds
// for everything that waits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "message/event.hpp"

namespace tenon::message {

// The octets that all waiting events may take together (`limits.events`). An eighth more is spare, for those who are
// not to blame (dispatcher.cpp); what senders have parked comes on top of both (router.hpp).
class EventBudget {
 public:
  explicit EventBudget(std::size_t limit) noexcept : limit_(limit) {}
  bool has_room(std::size_t size) const noexcept { return used_ + size <= limit_; }
  bool has_spare_room(std::size_t size) const noexcept { return used_ + size <= limit_ + limit_ / 8; }
  std::size_t used() const noexcept { return used_; }
  std::size_t limit() const noexcept { return limit_; }
  void set_limit(std::size_t limit) noexcept { limit_ = limit; }

 private:
  friend class MessageRef;
  std::size_t used_ = 0;
  std::size_t limit_;
};

class MessageRef {
 public:
  MessageRef() = default;
  // Copies the event. Does not check the budget: the caller asks has_room first, so that a message that must not be
  // lost (a redelivery) can go beyond it. Never empty. The budget must outlive the message.
  static MessageRef copy(const Event& event, EventBudget& budget) { return copy(event, budget, cost(event)); }
  // With `cost` as cost(event) gave it.
  static MessageRef copy(const Event& event, EventBudget& budget, std::size_t cost);
  // The memory that copy() would charge, near enough for a limit.
  static std::size_t cost(const Event& event) noexcept;

  MessageRef(const MessageRef& other) noexcept : block_(other.block_) { retain(); }
  MessageRef(MessageRef&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  MessageRef& operator=(MessageRef other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~MessageRef() { release(); }

  explicit operator bool() const noexcept { return block_ != nullptr; }
  const Event& event() const noexcept;
  std::size_t size() const noexcept;  // octets charged

 private:
  struct Block;
  explicit MessageRef(Block* block) noexcept : block_(block) {}
  void retain() noexcept;
  void release() noexcept;
  Block* block_ = nullptr;
};

}  // namespace tenon::message
