#include "event/timer_queue.hpp"

#include <cassert>
#include <memory>
#include <utility>

namespace tenon::event {
namespace {

constexpr std::size_t kNotWaiting = SIZE_MAX;

// The first multiple of the period after `due` that lies after `now`: ticks that were missed are skipped.
MonotonicTime next_tick(MonotonicTime due, Duration period, MonotonicTime now) noexcept {
  const Duration late = now > due ? now - due : Duration::zero();
  return TimerQueue::due_after(due + late / period * period, period);
}

}  // namespace

class TimerQueue::Timer final : public Handle::Cancellable, public std::enable_shared_from_this<Timer> {
 public:
  Timer(TimerQueue& owner, Duration every, Loop::Task work) : queue(owner), period(every), task(std::move(work)) {}

  void cancel() noexcept override {
    if (heap_index != kNotWaiting) queue.erase(heap_index);
  }

  TimerQueue& queue;
  const Duration period;  // 0: fires once
  Loop::Task task;
  std::size_t heap_index = kNotWaiting;
};

TimerQueue::~TimerQueue() { assert(heap_.empty() && "every timer handle must be destroyed before its loop"); }

MonotonicTime TimerQueue::due_after(MonotonicTime base, Duration delay) noexcept {
  if (delay <= Duration::zero()) return base;
  return MonotonicTime::max() - base < delay ? MonotonicTime::max() : base + delay;
}

Handle TimerQueue::add_once(MonotonicTime due, Loop::Task task) { return add(due, Duration::zero(), std::move(task)); }

Handle TimerQueue::add_periodic(MonotonicTime now, Duration period, Loop::Task task) {
  assert(period > Duration::zero() && "a period must be positive");
  return add(due_after(now, period), period, std::move(task));
}

Handle TimerQueue::add(MonotonicTime due, Duration period, Loop::Task task) {
  auto timer = std::make_shared<Timer>(*this, period, std::move(task));
  insert(due, timer.get());
  return Handle(std::move(timer));
}

std::size_t TimerQueue::run_due(MonotonicTime now, std::size_t limit, const std::atomic<bool>& stop) noexcept {
  const std::uint64_t added_before = next_sequence_;
  std::size_t ran = 0;
  while (ran < limit && !heap_.empty() && !stop.load(std::memory_order_relaxed)) {
    const Node& first = heap_.front();
    // A timer added meanwhile can stand first only if it is due no later than every older one that is left; older ones
    // due at the same instant have smaller sequences and stand before it.
    if (first.due > now || first.sequence >= added_before) break;
    fire_first(now);
    ++ran;
  }
  return ran;
}

void TimerQueue::fire_first(MonotonicTime now) noexcept {
  const MonotonicTime due = heap_.front().due;
  const std::shared_ptr<Timer> timer = heap_.front().timer->shared_from_this();  // the task may drop the handle
  erase(0);
  if (timer->period > Duration::zero()) {
    insert(next_tick(due, timer->period, now), timer.get());
    timer->task();
    return;
  }
  const Loop::Task task = std::move(timer->task);  // frees what it captured after it ran, even if the handle lives on
  task();
}

void TimerQueue::insert(MonotonicTime due, Timer* timer) {
  const Node node{due, next_sequence_++, timer};
  heap_.push_back(node);
  sift_up(heap_.size() - 1, node);
}

void TimerQueue::erase(std::size_t index) noexcept {
  heap_[index].timer->heap_index = kNotWaiting;
  const Node last = heap_.back();
  heap_.pop_back();
  if (index == heap_.size()) return;
  if (index > 0 && last.before(heap_[(index - 1) / 2])) {
    sift_up(index, last);
  } else {
    sift_down(index, last);
  }
}

void TimerQueue::place(std::size_t index, const Node& node) noexcept {
  heap_[index] = node;
  node.timer->heap_index = index;
}

void TimerQueue::sift_up(std::size_t index, const Node& node) noexcept {
  while (index > 0) {
    const std::size_t parent = (index - 1) / 2;
    if (!node.before(heap_[parent])) break;
    place(index, heap_[parent]);
    index = parent;
  }
  place(index, node);
}

void TimerQueue::sift_down(std::size_t index, const Node& node) noexcept {
  for (;;) {
    std::size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1].before(heap_[child])) ++child;
    if (!heap_[child].before(node)) break;
    place(index, heap_[child]);
    index = child;
  }
  place(index, node);
}

}  // namespace tenon::event
