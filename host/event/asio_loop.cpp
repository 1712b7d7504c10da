// The loop over Boost.Asio's io_context. Only this file, and control's one Beast file, include Asio.
//
// Asio waits for three things on our behalf: the PollSet (one descriptor for all watches), the earliest timer, and
// posted work. Each of them ends in one handler, which runs a bounded batch of callbacks as one turn; Beast's handlers
// are turns of their own (asio_access.hpp). So a turn never contains the wait, and under steady load turns still end.
//
// Each of Asio's waits counts as its outstanding work, so they are armed only while something is wanted: that is how
// run() ends when nothing is left. settle() brings them in line once at the end of each turn.
#include <utility>  // before Asio: Boost 1.74's awaitable.hpp uses std::exchange without it

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/post.hpp>

#include <sched.h>

#include <atomic>
#include <cassert>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <thread>

#include "event/asio_host.hpp"
#include "event/busy_poll.hpp"
#include "event/loop.hpp"
#include "event/poll_set.hpp"
#include "event/post_queue.hpp"
#include "event/timer_queue.hpp"

namespace tenon::event {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// Bound to the context's own executor: the default one is type-erased and costs an indirect call at every step.
using Executor = asio::io_context::executor_type;
using DirectDescriptor = asio::posix::basic_stream_descriptor<Executor>;
using DirectTimer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;

unsigned available_processors() noexcept {
  cpu_set_t allowed;
  return ::sched_getaffinity(0, sizeof(allowed), &allowed) == 0 ? static_cast<unsigned>(CPU_COUNT(&allowed)) : 1;
}

constexpr std::size_t kPerTurn = 1024;  // posted tasks or due timers; then descriptors get their chance

class AsioLoop final : public Loop, public AsioHost, private PollSet::Listener {
 public:
  explicit AsioLoop(unique_fd epoll)
      : polls_(std::move(epoll), *this), context_(1), descriptor_(context_), timer_(context_) {
    descriptor_.assign(polls_.fd());
  }
  ~AsioLoop() override;

  void run() override;
  void stop() noexcept override;
  Result<std::unique_ptr<FdWatch>> watch(int fd, Interest wanted, FdCallback on_ready) override;
  Handle after(Duration delay, Task task) override;
  Handle every(Duration period, Task task) override;
  void post(Task task) override;
  void set_turn_observer(TurnObserver* observer) noexcept override;
  const Clock& clock() const noexcept override { return clock_; }
  bool on_loop_thread() const noexcept override;

  asio::io_context& context() noexcept override { return context_; }
  void enter_turn() noexcept override;
  void leave_turn() noexcept override;

 private:
  void wanting_changed() noexcept override { settle_outside_turn(); }
  void settle_outside_turn() noexcept;
  void settle() noexcept;
  void settle_descriptors() noexcept;
  void settle_timer() noexcept;
  void descriptors_ready() noexcept;
  void rest() noexcept;
  void look_again() noexcept;
  void timer_fired(const error_code& error) noexcept;
  void schedule_posted();
  void run_posted() noexcept;

  const SystemClock clock_;
  std::atomic<std::thread::id> loop_thread_{};  // no id: not running
  std::atomic<bool> stop_requested_{false};
  TurnObserver* observer_ = nullptr;
  bool observer_told_ = false;  // it saw this turn begin, so it sees it end
  unsigned turn_depth_ = 0;

  BusyPoll busy_poll_{available_processors()};
  bool looking_again_ = false;  // its handler is in Asio's queue, so that Asio asks the kernel without waiting
  PollSet polls_;
  TimerQueue timers_;
  PostQueue posts_;

  // Below what handlers in the context may own: those die with it, while the sets above still live.
  asio::io_context context_;
  DirectDescriptor descriptor_;  // polls_' descriptor, released (never closed) at the end
  DirectTimer timer_;
  bool waiting_for_descriptors_ = false;
  bool withdrawing_ = false;                    // that wait was cancelled and its handler has not run yet
  std::optional<MonotonicTime> timer_due_;      // what timer_ is set to; none: not waiting
};

AsioLoop::~AsioLoop() {
  assert(loop_thread_.load() == std::thread::id() && "a loop must not be destroyed while it runs");
  ++turn_depth_;  // callbacks' captures may drop watches and timers while they die: nothing is to be armed any more
  posts_.clear();
  descriptor_.release();
}

void AsioLoop::run() {
  assert(loop_thread_.load() == std::thread::id() && "run() is not reentrant");
  struct Running {
    AsioLoop& loop;
    explicit Running(AsioLoop& l) : loop(l) { loop.loop_thread_.store(std::this_thread::get_id()); }
    ~Running() {
      loop.loop_thread_.store(std::thread::id());
      loop.stop_requested_.store(false);
    }
  } running(*this);
  context_.restart();
  settle();
  // A stop() that came before restart() is seen here, a later one ends the context's run.
  if (!stop_requested_.load()) context_.run();
}

void AsioLoop::stop() noexcept {
  stop_requested_.store(true);
  context_.stop();
}

Result<std::unique_ptr<FdWatch>> AsioLoop::watch(int fd, Interest wanted, FdCallback on_ready) {
  assert(on_loop_thread());
  return polls_.add(fd, wanted, std::move(on_ready));
}

Handle AsioLoop::after(Duration delay, Task task) {
  assert(on_loop_thread());
  Handle handle = timers_.add_once(TimerQueue::due_after(clock_.monotonic(), delay), std::move(task));
  settle_outside_turn();
  return handle;
}

Handle AsioLoop::every(Duration period, Task task) {
  assert(on_loop_thread());
  Handle handle = timers_.add_periodic(clock_.monotonic(), period, std::move(task));
  settle_outside_turn();
  return handle;
}

void AsioLoop::post(Task task) {
  if (posts_.push(std::move(task))) schedule_posted();
}

void AsioLoop::set_turn_observer(TurnObserver* observer) noexcept {
  observer_ = observer;
  observer_told_ = false;
}

bool AsioLoop::on_loop_thread() const noexcept {
  const std::thread::id runner = loop_thread_.load(std::memory_order_relaxed);
  return runner == std::thread::id() || runner == std::this_thread::get_id();
}

void AsioLoop::enter_turn() noexcept {
  if (turn_depth_++ > 0 || observer_ == nullptr) return;
  observer_told_ = true;
  observer_->turn_began();
}

void AsioLoop::leave_turn() noexcept {
  if (turn_depth_ > 1) {
    --turn_depth_;
    return;
  }
  settle();  // still inside: what it touches must not settle again
  turn_depth_ = 0;
  if (std::exchange(observer_told_, false)) observer_->turn_ended();
}

void AsioLoop::settle_outside_turn() noexcept {
  if (turn_depth_ == 0) settle();
}

void AsioLoop::settle() noexcept {
  settle_descriptors();
  settle_timer();
}

void AsioLoop::settle_descriptors() noexcept {
  const bool wanted = polls_.wanting() > 0;
  if (wanted && !waiting_for_descriptors_) {
    waiting_for_descriptors_ = true;
    descriptor_.async_wait(asio::posix::descriptor_base::wait_read, [this](const error_code&) { descriptors_ready(); });
  } else if (!wanted && waiting_for_descriptors_ && !withdrawing_) {
    withdrawing_ = true;
    error_code ignored;  // fails only for a closed descriptor
    descriptor_.cancel(ignored);
  }
}

void AsioLoop::settle_timer() noexcept {
  if (timers_.empty()) {
    // A timer that was cancelled may fire for nothing, that is cheaper than withdrawing each one; but it must not be
    // the last thing that keeps run() alive.
    if (timer_due_ && polls_.wanting() == 0) {
      timer_.cancel();
      timer_due_.reset();
    }
    return;
  }
  if (timer_due_ && *timer_due_ <= timers_.next_due()) return;
  timer_due_ = timers_.next_due();
  timer_.expires_at(*timer_due_);
  timer_.async_wait([this](const error_code& error) { timer_fired(error); });
}

void AsioLoop::descriptors_ready() noexcept {
  // Also reached when the wait was withdrawn; then nothing is wanted, or it is again and is looked at once too often.
  busy_poll_.woke(clock_.monotonic());
  {
    const TurnScope turn(*this);
    waiting_for_descriptors_ = withdrawing_ = false;
    polls_.dispatch(stop_requested_);
  }
  rest();
}

void AsioLoop::rest() noexcept {
  const MonotonicTime now = clock_.monotonic();
  busy_poll_.rests(now);
  if (looking_again_ || !busy_poll_.looks_again(now)) return;
  looking_again_ = true;
  asio::post(context_, [this] { look_again(); });
}

// No turn: nothing of ours runs here. While this is queued Asio looks for what is ready between its runs.
void AsioLoop::look_again() noexcept {
  looking_again_ = waiting_for_descriptors_ && busy_poll_.looks_again(clock_.monotonic());
  if (!looking_again_) return;
  if (!polls_.any_ready()) std::this_thread::yield();  // Asio may have found something meanwhile: it comes behind this
  asio::post(context_, [this] { look_again(); });
}

void AsioLoop::timer_fired(const error_code& error) noexcept {
  if (error) return;  // superseded by an earlier timer, or withdrawn
  const TurnScope turn(*this);
  timer_due_.reset();
  timers_.run_due(clock_.monotonic(), kPerTurn, stop_requested_);
}

void AsioLoop::schedule_posted() {
  asio::post(context_, [this] { run_posted(); });
}

void AsioLoop::run_posted() noexcept {
  const TurnScope turn(*this);
  if (posts_.run(kPerTurn, stop_requested_)) schedule_posted();
}

[[noreturn]] void no_loop(const char* reason) {
  std::fprintf(stderr, "tenon: cannot create the event loop: %s\n", reason);
  std::abort();
}

}  // namespace

std::unique_ptr<Loop> make_loop() {
  auto epoll = PollSet::open();
  if (!epoll) no_loop(epoll.error().message.c_str());
  try {
    return std::make_unique<AsioLoop>(std::move(epoll).value());
  } catch (const std::exception& failure) {  // Asio has no other way to report that the kernel gives no descriptor
    no_loop(failure.what());
  }
}

}  // namespace tenon::event
