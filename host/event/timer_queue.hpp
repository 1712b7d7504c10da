// Timers by due time: a heap that knows where each timer stands, so that a cancelled one leaves at once in O(log n) and
// costs nothing later. Most timeouts are cancelled; 100,000 at a time are normal.
//
// The model. A timer is waiting (in the heap) or not. A one-shot timer leaves the heap before its task runs; a periodic
// one is put back first, at the first multiple of its period that lies in the future. Equal due times fire in the order
// in which they were added. A task may cancel any timer, its own included, and may add timers: those wait for the next
// call of run_due, so a timer of zero delay that adds another never keeps the loop from its descriptors.
//
// Knows no clock: the caller brings the time. [loop] throughout. Outlives its handles' timers.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/clock.hpp"
#include "event/loop.hpp"

namespace tenon::event {

class TimerQueue {
 public:
  TimerQueue() = default;
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;
  ~TimerQueue();

  Handle add_once(MonotonicTime due, Loop::Task task);
  // First due one period after `now`. period > 0.
  Handle add_periodic(MonotonicTime now, Duration period, Loop::Task task);

  bool empty() const noexcept { return heap_.empty(); }
  std::size_t size() const noexcept { return heap_.size(); }
  MonotonicTime next_due() const noexcept { return heap_.front().due; }  // requires !empty()

  // Runs what was due at `now` when the call began, earliest first, at most `limit` of them, fewer if `stop` becomes
  // true. Returns how many ran.
  std::size_t run_due(MonotonicTime now, std::size_t limit, const std::atomic<bool>& stop) noexcept;

  // `base + delay` without overflow; a negative delay counts as 0.
  static MonotonicTime due_after(MonotonicTime base, Duration delay) noexcept;

 private:
  class Timer;
  struct Node {
    MonotonicTime due;
    std::uint64_t sequence;  // breaks ties: first added, first fired
    Timer* timer;            // kept alive by its handle, which takes it out of the heap before it dies
    bool before(const Node& other) const noexcept {
      return due != other.due ? due < other.due : sequence < other.sequence;
    }
  };

  Handle add(MonotonicTime due, Duration period, Loop::Task task);
  void insert(MonotonicTime due, Timer* timer);
  void erase(std::size_t index) noexcept;
  void place(std::size_t index, const Node& node) noexcept;
  void sift_up(std::size_t index, const Node& node) noexcept;
  void sift_down(std::size_t index, const Node& node) noexcept;
  void fire_first(MonotonicTime now) noexcept;

  std::vector<Node> heap_;
  std::uint64_t next_sequence_ = 0;
};

}  // namespace tenon::event
