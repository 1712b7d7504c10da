#include "event/signal_source.hpp"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cassert>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "common/unique_fd.hpp"

namespace tenon::event {
namespace {

struct Channel {
  std::atomic<int> fd{-1};             // eventfd, opened at first use and kept for the life of the process
  std::atomic<bool> subscribed{false};
};
std::array<Channel, NSIG> channels;  // by signal number; the handler reads it

Channel& channel_of(int signal_number) noexcept { return channels[static_cast<std::size_t>(signal_number)]; }

extern "C" void tenon_note_signal(int signal_number) {
  const int saved = errno;
  const std::uint64_t one = 1;
  // A full counter (2^64 - 2 deliveries) is the only failure; there is nobody to tell in a handler.
  [[maybe_unused]] const ssize_t written = ::write(channel_of(signal_number).fd.load(), &one, sizeof one);
  errno = saved;
}

bool can_subscribe(int number) noexcept {
  if (number <= 0 || number >= NSIG) return false;
  switch (number) {
    case SIGKILL:
    case SIGSTOP:
    case SIGSEGV:  // returning from the handler would run the faulting instruction again, for ever
    case SIGBUS:
    case SIGFPE:
    case SIGILL: return false;
    default: return true;
  }
}

Status open_channel(Channel& channel) {
  if (channel.fd.load() < 0) {
    unique_fd fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!fd)
      return Error::from_errno(errno, "create an eventfd for a signal; raise the limit of open files (ulimit -n)");
    channel.fd.store(fd.release());
  }
  std::uint64_t stale = 0;  // deliveries that the last subscription did not take
  [[maybe_unused]] const ssize_t drained = ::read(channel.fd.load(), &stale, sizeof stale);
  return {};
}

class Subscription final : public Handle::Cancellable {
 public:
  Subscription(int number, Loop::Task task) : number_(number), task_(std::move(task)) {}
  ~Subscription() override { cancel(); }  // for the ways out of subscribe_signal that return no handle

  Status begin(Loop& loop, std::weak_ptr<Subscription> self) {
    Channel& channel = channel_of(number_);
    TENON_TRY(open_channel(channel));
    auto watch = loop.watch(channel.fd.load(), Interest::read, [self = std::move(self)](Interest) {
      if (const auto alive = self.lock()) alive->deliver();
    });
    if (!watch) return std::move(watch).error();
    watch_ = std::move(watch).value();
    struct sigaction action {};
    action.sa_handler = &tenon_note_signal;
    action.sa_flags = SA_RESTART;
    sigfillset(&action.sa_mask);
    if (::sigaction(number_, &action, &former_) != 0)
      return Error::from_errno(errno, "handle signal " + std::to_string(number_));
    installed_ = true;
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, number_);
    ::pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
    return {};
  }

  void cancel() noexcept override {
    if (std::exchange(installed_, false)) ::sigaction(number_, &former_, nullptr);
    watch_.reset();
    if (std::exchange(claimed_, false)) channel_of(number_).subscribed.store(false);
  }

 private:
  void deliver() {
    std::uint64_t deliveries = 0;
    if (::read(channel_of(number_).fd.load(), &deliveries, sizeof deliveries) != sizeof deliveries) return;
    for (; deliveries > 0 && installed_; --deliveries) task_();
  }

  const int number_;
  const Loop::Task task_;
  std::unique_ptr<FdWatch> watch_;
  struct sigaction former_ {};
  bool installed_ = false;
  bool claimed_ = true;  // constructed only after `subscribed` was won
};

}  // namespace

Result<Handle> subscribe_signal(Loop& loop, int signal_number, Loop::Task task) {
  if (!can_subscribe(signal_number)) {
    return Error(errc::invalid_argument,
                 "signal " + std::to_string(signal_number) + " cannot be handled; choose one such as SIGTERM or SIGHUP",
                 fault::caller);
  }
  if (channel_of(signal_number).subscribed.exchange(true)) {
    return Error(errc::already_exists,
                 "signal " + std::to_string(signal_number) +
                     " is already handled in this process; drop the other handle first",
                 fault::caller);
  }
  auto subscription = std::make_shared<Subscription>(signal_number, std::move(task));
  TENON_TRY(subscription->begin(loop, subscription));
  return Handle(std::move(subscription));
}

}  // namespace tenon::event
