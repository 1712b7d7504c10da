#include "event/post_queue.hpp"

#include <utility>

namespace tenon::event {
namespace {

constexpr std::size_t kCapacityToKeep = 4096;  // a burst must not hold its memory for ever

}  // namespace

bool PostQueue::push(Loop::Task task) {
  const std::lock_guard lock(mutex_);
  pending_.push_back(std::move(task));
  return !std::exchange(scheduled_, true);
}

bool PostQueue::take_batch() {
  if (position_ < batch_.size()) return true;
  batch_.clear();
  position_ = 0;
  if (batch_.capacity() > kCapacityToKeep) batch_.shrink_to_fit();
  const std::lock_guard lock(mutex_);
  batch_.swap(pending_);
  left_in_batch_.store(batch_.size(), std::memory_order_relaxed);
  return !batch_.empty();
}

bool PostQueue::run(std::size_t limit, const std::atomic<bool>& stop) noexcept {
  take_batch();
  for (std::size_t ran = 0; ran < limit && position_ < batch_.size() && !stop.load(std::memory_order_relaxed); ++ran) {
    const Loop::Task task = std::move(batch_[position_++]);
    left_in_batch_.store(batch_.size() - position_, std::memory_order_relaxed);
    task();
  }
  if (position_ < batch_.size()) return true;
  const std::lock_guard lock(mutex_);
  scheduled_ = !pending_.empty();
  return scheduled_;
}

void PostQueue::clear() noexcept {
  do {
    batch_.clear();
    position_ = 0;
  } while (take_batch());
}

std::size_t PostQueue::size() const {
  const std::lock_guard lock(mutex_);
  return pending_.size() + left_in_batch_.load(std::memory_order_relaxed);
}

}  // namespace tenon::event
