// A Loop for unit tests: time moves only when told to, nothing happens unless a test asks for it, and what is still
// registered can be counted.
//
// The model. advance() is the usual way forward: it runs posted work, then every timer in order of its due time with
// the clock standing exactly there, and the work that they post, until the target time. Descriptors are served only by
// poll_descriptors() (real ones, asked of the kernel without waiting) or trigger() (any number, real or not, by hand).
// run() does all three and jumps over idle time; it returns on stop() or when nothing more can happen, never waits.
//
// A thread other than the creator's may only post(). wait_posted() is where a test waits for such a thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "event/loop.hpp"
#include "event/post_queue.hpp"
#include "event/timer_queue.hpp"

namespace tenon::event {

class FakeLoop final : public Loop {
 public:
  explicit FakeLoop(ManualClock start = ManualClock()) : clock_(start) {}
  ~FakeLoop() override;

  // Moves the clock by `by`, running whatever a real loop would have run (but descriptors). Returns how many callbacks
  // ran. Ends the program after kStorm callbacks: something posts or re-arms itself without end.
  std::size_t advance(Duration by);
  // Runs posted work, and what it posts, without moving the clock. Returns how many tasks ran.
  std::size_t run_posted();
  // Waits in real time until another thread has posted something; does not run it. False after the limit.
  [[nodiscard]] bool wait_posted(Duration limit = std::chrono::seconds(30));
  // Asks the kernel once, without waiting, about every watched descriptor and runs the callbacks. Returns how many ran.
  std::size_t poll_descriptors();
  // Runs the callback that watches fd, if it wants one of these directions. Returns whether it did.
  bool trigger(int fd, Interest ready);

  ManualClock& manual_clock() noexcept { return clock_; }
  std::size_t live_watches() const noexcept { return watches_.size(); }
  std::size_t live_timers() const noexcept { return timers_.size(); }  // not counting one-shot timers that have fired
  std::size_t pending_posts() const { return posts_.size(); }
  bool is_watched(int fd) const { return watches_.contains(fd); }
  Interest interest_in(int fd) const;  // none if not watched

  void run() override;
  void stop() noexcept override { stop_requested_.store(true); }
  Result<std::unique_ptr<FdWatch>> watch(int fd, Interest wanted, FdCallback on_ready) override;
  Handle after(Duration delay, Task task) override;
  Handle every(Duration period, Task task) override;
  void post(Task task) override;
  void set_turn_observer(TurnObserver* observer) noexcept override { observer_ = observer; }
  const Clock& clock() const noexcept override { return clock_; }
  bool on_loop_thread() const noexcept override { return std::this_thread::get_id() == thread_; }

  static constexpr std::size_t kStorm = 1'000'000;

 private:
  struct Watched;
  class Watch;
  class Turn;

  std::size_t run_timers_until(MonotonicTime target);
  bool fire(const std::shared_ptr<Watched>& watched, Interest ready);

  ManualClock clock_;
  const std::thread::id thread_ = std::this_thread::get_id();
  std::atomic<bool> stop_requested_{false};
  const std::atomic<bool> never_stop_{false};
  TurnObserver* observer_ = nullptr;
  TimerQueue timers_;
  PostQueue posts_;
  std::map<int, std::shared_ptr<Watched>> watches_;  // by descriptor: callbacks come in the same order every time
  std::mutex posted_mutex_;
  std::condition_variable posted_;
};

}  // namespace tenon::event
