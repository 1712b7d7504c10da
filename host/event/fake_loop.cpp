#include "event/fake_loop.hpp"

#include <poll.h>
#include <sys/stat.h>

#include <cassert>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "event/interest.hpp"

namespace tenon::event {

struct FakeLoop::Watched {
  Interest wanted;
  FdCallback on_ready;
  bool live = true;
};

class FakeLoop::Watch final : public FdWatch {
 public:
  Watch(FakeLoop& loop, int fd, std::shared_ptr<Watched> watched)
      : loop_(loop), fd_(fd), watched_(std::move(watched)) {}
  ~Watch() override {
    watched_->live = false;
    loop_.watches_.erase(fd_);
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  void set_interest(Interest wanted) override { watched_->wanted = wanted; }
  Interest interest() const noexcept override { return watched_->wanted; }

 private:
  FakeLoop& loop_;
  const int fd_;
  const std::shared_ptr<Watched> watched_;
};

class FakeLoop::Turn {
 public:
  explicit Turn(FakeLoop& loop) : observer_(loop.observer_) {
    if (observer_) observer_->turn_began();
  }
  ~Turn() {
    if (observer_) observer_->turn_ended();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  TurnObserver* const observer_;
};

namespace {

void count_against_storm(std::size_t ran) {
  if (ran < FakeLoop::kStorm) return;
  std::fputs("FakeLoop: a million callbacks in one step; something posts or re-arms itself without end\n", stderr);
  std::abort();
}

bool is_file_or_directory(int fd) {
  struct stat info {};
  return ::fstat(fd, &info) == 0 && (S_ISREG(info.st_mode) || S_ISDIR(info.st_mode));
}

}  // namespace

FakeLoop::~FakeLoop() {
  posts_.clear();
  assert(watches_.empty() && "every FdWatch must be destroyed before its loop");
}

std::size_t FakeLoop::run_posted() {
  std::size_t ran = 0;
  for (bool more = posts_.size() > 0; more; ++ran) {
    const Turn turn(*this);
    more = posts_.run(1, never_stop_);
    count_against_storm(ran);
  }
  return ran;
}

std::size_t FakeLoop::run_timers_until(MonotonicTime target) {
  std::size_t ran = 0;
  while (!timers_.empty() && timers_.next_due() <= target && !stop_requested_.load()) {
    if (timers_.next_due() > clock_.monotonic()) clock_.advance(timers_.next_due() - clock_.monotonic());
    {
      const Turn turn(*this);
      ran += timers_.run_due(clock_.monotonic(), 1, never_stop_);
    }
    ran += run_posted();
    count_against_storm(ran);
  }
  return ran;
}

std::size_t FakeLoop::advance(Duration by) {
  assert(on_loop_thread() && by >= Duration::zero());
  stop_requested_.store(false);
  const MonotonicTime target = TimerQueue::due_after(clock_.monotonic(), by);
  std::size_t ran = run_posted();
  ran += run_timers_until(target);
  if (target > clock_.monotonic() && !stop_requested_.load()) clock_.advance(target - clock_.monotonic());
  return ran;
}

bool FakeLoop::wait_posted(Duration limit) {
  std::unique_lock lock(posted_mutex_);
  return posted_.wait_for(lock, limit, [this] { return posts_.size() > 0; });
}

bool FakeLoop::fire(const std::shared_ptr<Watched>& watched, Interest ready) {
  const Interest wanted = ready & watched->wanted;
  if (!watched->live || wanted == Interest::none) return false;
  const std::shared_ptr<Watched> kept = watched;  // the callback may destroy its own watch
  const Turn turn(*this);
  kept->on_ready(wanted);
  return true;
}

bool FakeLoop::trigger(int fd, Interest ready) {
  const auto found = watches_.find(fd);
  return found != watches_.end() && fire(std::shared_ptr<Watched>(found->second), ready);
}

std::size_t FakeLoop::poll_descriptors() {
  std::vector<pollfd> asked;
  std::vector<std::shared_ptr<Watched>> watched;
  for (const auto& [fd, entry] : watches_) {
    if (entry->wanted == Interest::none) continue;
    short events = 0;
    if (includes(entry->wanted, Interest::read)) events |= POLLIN;
    if (includes(entry->wanted, Interest::write)) events |= POLLOUT;
    asked.push_back({fd, events, 0});
    watched.push_back(entry);
  }
  if (asked.empty() || ::poll(asked.data(), asked.size(), 0) <= 0) return 0;
  std::size_t ran = 0;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const int got = asked[i].revents;
    if (got & POLLNVAL) continue;  // a made-up number, served by trigger()
    Interest ready = Interest::none;
    if (got & (POLLIN | POLLHUP | POLLERR)) ready = ready | Interest::read;
    if (got & (POLLOUT | POLLHUP | POLLERR)) ready = ready | Interest::write;
    ran += fire(watched[i], ready) ? 1 : 0;
  }
  return ran;
}

Interest FakeLoop::interest_in(int fd) const {
  const auto found = watches_.find(fd);
  return found == watches_.end() ? Interest::none : found->second->wanted;
}

void FakeLoop::run() {
  assert(on_loop_thread());
  for (std::size_t rounds = 0; !stop_requested_.load(); ++rounds) {
    count_against_storm(rounds);
    if (run_posted() + poll_descriptors() > 0) continue;
    if (timers_.empty()) break;
    run_timers_until(timers_.next_due());
  }
  stop_requested_.store(false);
}

Result<std::unique_ptr<FdWatch>> FakeLoop::watch(int fd, Interest wanted, FdCallback on_ready) {
  if (fd < 0)
    return Error(errc::invalid_argument, "a negative descriptor cannot be watched; open it first", fault::caller);
  if (is_file_or_directory(fd))
    return Error(errc::io, "descriptor " + std::to_string(fd) + " is a file or a directory; read it at once");
  auto watched = std::make_shared<Watched>(Watched{wanted, std::move(on_ready)});
  if (!watches_.emplace(fd, watched).second) {
    return Error(errc::already_exists,
                 "descriptor " + std::to_string(fd) + " is already watched; drop the other watch first", fault::caller);
  }
  return std::unique_ptr<FdWatch>(std::make_unique<Watch>(*this, fd, std::move(watched)));
}

Handle FakeLoop::after(Duration delay, Task task) {
  return timers_.add_once(TimerQueue::due_after(clock_.monotonic(), delay), std::move(task));
}

Handle FakeLoop::every(Duration period, Task task) {
  return timers_.add_periodic(clock_.monotonic(), period, std::move(task));
}

void FakeLoop::post(Task task) {
  const std::lock_guard lock(posted_mutex_);
  if (posts_.push(std::move(task))) posted_.notify_all();
}

}  // namespace tenon::event
