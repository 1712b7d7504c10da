#include "keeper/poller.hpp"

#include <algorithm>
#include <cerrno>

namespace tenon::keeper {

Result<Poller> Poller::make() {
  unique_fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return Error::from_errno(errno, "make an epoll instance");
  return Poller(std::move(epoll));
}

void Poller::watch(Watched what, int fd, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = std::uint64_t{static_cast<std::uint32_t>(what)} << 32 | static_cast<std::uint32_t>(fd);
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) != 0 && errno == ENOENT) {
    (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
  }
}

void Poller::unwatch(int fd) { (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

std::span<const Poller::Event> Poller::wait(MonotonicTime now, MonotonicTime deadline) {
  // Rounded up: waking a fraction of a millisecond early would spin until the deadline.
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(std::max(deadline - now, Duration::zero()));
  const auto timeout = std::min<std::int64_t>(left.count(), 3'600'000);
  epoll_event raw[kBatch];
  const int count = ::epoll_wait(epoll_.get(), raw, kBatch, static_cast<int>(timeout));
  for (int i = 0; i < count; ++i) {
    Event& event = events_[static_cast<std::size_t>(i)];
    event.what = static_cast<Watched>(raw[i].data.u64 >> 32);
    event.fd = static_cast<int>(raw[i].data.u64 & 0xffffffff);
    event.readable = (raw[i].events & EPOLLIN) != 0;
    event.writable = (raw[i].events & EPOLLOUT) != 0;
    event.hung_up = (raw[i].events & (EPOLLHUP | EPOLLERR)) != 0;
  }
  return {events_.data(), static_cast<std::size_t>(std::max(count, 0))};
}

}  // namespace tenon::keeper
