#include "event/poll_set.hpp"

#include <poll.h>

#include <cassert>
#include <cerrno>
#include <string>
#include <utility>

#include "event/interest.hpp"

namespace tenon::event {
namespace {

epoll_event event_for(std::uint32_t index, std::uint32_t generation, Interest wanted) noexcept {
  epoll_event event{};
  if (includes(wanted, Interest::read)) event.events |= EPOLLIN;
  if (includes(wanted, Interest::write)) event.events |= EPOLLOUT;
  // The kernel always reports errors and hang-ups. Edge-triggered, a descriptor that nobody wants says so once instead
  // of spinning the loop, and stays registered, so that wanting it again cannot fail for want of a place in the set.
  if (wanted == Interest::none) event.events = EPOLLET;
  event.data.u64 = (std::uint64_t{generation} << 32) | index;
  return event;
}

Error cannot_watch(int fd, int reason) {
  const std::string name = "descriptor " + std::to_string(fd);
  switch (reason) {
    case EPERM:
      return Error(errc::io,
                   name + " cannot be waited for (a regular file or a directory); read it at once or on a worker");
    case EEXIST:
      return Error(errc::already_exists,
                   name + " is already watched; change its interest or drop the other watch first", fault::caller);
    case EBADF: return Error(errc::invalid_argument, name + " is not open; watch it before closing it", fault::caller);
    case ENOSPC:
      return Error(errc::exhausted, "no more descriptors can be watched; raise /proc/sys/fs/epoll/max_user_watches");
    default: return Error::from_errno(reason, "watch " + name);
  }
}

}  // namespace

class PollSet::Watch final : public FdWatch {
 public:
  Watch(PollSet& set, std::uint32_t index) noexcept : set_(set), index_(index) {}
  ~Watch() override { set_.remove(index_); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  void set_interest(Interest wanted) override { set_.change(index_, wanted); }
  Interest interest() const noexcept override { return set_.slots_[index_].wanted; }

 private:
  PollSet& set_;
  const std::uint32_t index_;
};

Result<unique_fd> PollSet::open() {
  unique_fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return Error::from_errno(errno, "create an epoll set; raise the limit of open files (ulimit -n)");
  return epoll;
}

PollSet::PollSet(unique_fd epoll, Listener& listener) : epoll_(std::move(epoll)), listener_(listener) {}

PollSet::~PollSet() { assert(watches_ == 0 && "every FdWatch must be destroyed before its loop"); }

Result<std::unique_ptr<FdWatch>> PollSet::add(int fd, Interest wanted, Loop::FdCallback on_ready) {
  const std::uint32_t index = take_slot();
  Slot& slot = slots_[index];
  epoll_event event = event_for(index, slot.generation, wanted);
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    const int reason = errno;
    free_.push_back(index);
    return cannot_watch(fd, reason);
  }
  slot.fd = fd;
  slot.wanted = wanted;
  slot.live = true;
  slot.on_ready = std::move(on_ready);
  ++watches_;
  count_wanting(Interest::none, wanted);
  return std::unique_ptr<FdWatch>(std::make_unique<Watch>(*this, index));
}

std::uint32_t PollSet::take_slot() {
  if (free_.empty()) {
    slots_.emplace_back();
    if (free_.capacity() < slots_.size()) free_.reserve(2 * slots_.size());  // so that freeing never allocates
    return static_cast<std::uint32_t>(slots_.size() - 1);
  }
  const std::uint32_t index = free_.back();
  free_.pop_back();
  return index;
}

void PollSet::free_slot(std::uint32_t index) noexcept {
  // What the callback captured may own other watches: let it die before the slot can be taken again.
  slots_[index].on_ready = nullptr;
  free_.push_back(index);
}

void PollSet::remove(std::uint32_t index) noexcept {
  Slot& slot = slots_[index];
  epoll_event unused{};
  [[maybe_unused]] const int gone = ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, slot.fd, &unused);
  assert(gone == 0 && "a descriptor was closed before its FdWatch was destroyed");
  slot.live = false;
  slot.fd = -1;
  ++slot.generation;
  --watches_;
  count_wanting(std::exchange(slot.wanted, Interest::none), Interest::none);
  if (index != running_) free_slot(index);  // else dispatch frees it when the callback has returned
}

void PollSet::change(std::uint32_t index, Interest wanted) {
  Slot& slot = slots_[index];
  if (slot.wanted == wanted) return;
  epoll_event event = event_for(index, slot.generation, wanted);
  [[maybe_unused]] const int changed = ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, slot.fd, &event);
  assert(changed == 0 && "a descriptor was closed before its FdWatch was destroyed");
  count_wanting(std::exchange(slot.wanted, wanted), wanted);
}

void PollSet::count_wanting(Interest before, Interest after) noexcept {
  const bool did = before != Interest::none, does = after != Interest::none;
  if (did == does) return;
  wanting_ = does ? wanting_ + 1 : wanting_ - 1;
  if (wanting_ == (does ? 1u : 0u)) listener_.wanting_changed();
}

bool PollSet::any_ready() const noexcept {
  pollfd asked{epoll_.get(), POLLIN, 0};
  return ::poll(&asked, 1, 0) > 0;
}

void PollSet::dispatch(const std::atomic<bool>& stop) noexcept {
  const int ready = ::epoll_wait(epoll_.get(), batch_.data(), static_cast<int>(batch_.size()), 0);
  for (int i = 0; i < ready && !stop.load(std::memory_order_relaxed); ++i)
    run_slot(batch_[static_cast<std::size_t>(i)]);
}

void PollSet::run_slot(const epoll_event& event) noexcept {
  const auto index = static_cast<std::uint32_t>(event.data.u64);
  Slot& slot = slots_[index];
  if (slot.generation != event.data.u64 >> 32) return;
  Interest ready = Interest::none;
  if (event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) ready = ready | Interest::read;
  if (event.events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) ready = ready | Interest::write;
  ready = ready & slot.wanted;  // an earlier callback of this batch may have lost interest
  if (ready == Interest::none) return;
  running_ = index;
  slot.on_ready(ready);
  running_ = kNoSlot;
  if (!slot.live) free_slot(index);
}

}  // namespace tenon::event
