// Work posted to a loop from any thread, run in the order of the calls.
//
// The model. Threads append to `pending_` under a mutex; the loop takes all of it at once as a batch and runs the batch
// without the lock. What is posted meanwhile waits for the next batch, so work that posts itself again never keeps the
// loop from its descriptors. Only the append that finds the queue unscheduled has to wake the loop.
//
// The length is not limited here: whoever posts per outside event limits what it has in flight.
#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <vector>

#include "event/loop.hpp"

namespace tenon::event {

class PostQueue {
 public:
  // [any] True: the caller must see to it that run() is called.
  [[nodiscard]] bool push(Loop::Task task);

  // [loop] Runs at most `limit` tasks, fewer if `stop` becomes true. True: work is left, run() must be called again.
  [[nodiscard]] bool run(std::size_t limit, const std::atomic<bool>& stop) noexcept;

  // [loop] Destroys what has not run. What the tasks captured may push again: that is destroyed too.
  void clear() noexcept;

  std::size_t size() const;  // [any] tasks that have not begun; exact only while no other thread pushes

 private:
  bool take_batch();

  mutable std::mutex mutex_;
  std::vector<Loop::Task> pending_;  // guarded by mutex_
  bool scheduled_ = false;           // guarded by mutex_: a run() is due
  std::vector<Loop::Task> batch_;    // loop thread only
  std::size_t position_ = 0;         // first task of batch_ that has not run
  std::atomic<std::size_t> left_in_batch_{0};
};

}  // namespace tenon::event
