// The descriptors that a loop watches: one epoll set, level-triggered, with exactly the directions that are wanted.
//
// The model. A watch lives in a slot; the kernel's event carries the slot's number and generation, so an event that was
// already fetched for a watch that has died since is recognised and dropped, even if the slot or the descriptor number
// was used again within the same batch. A callback that destroys its own watch runs on to its end: the slot is cleared
// after it returned. Nothing is allocated, and no system call is made, per event.
//
// Why a set of our own below Asio's: Asio 1.74 switches a descriptor to non-blocking before the first wait (which
// others that share the open file see too, and which makes waitid on a pidfd return EAGAIN), accepts regular files, and
// pays an epoll_ctl for every single wait. Here the whole set is one descriptor to Asio, re-armed once a batch.
//
// [loop] throughout. Outlives its watches.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "common/result.hpp"
#include "common/unique_fd.hpp"
#include "event/loop.hpp"

namespace tenon::event {

class PollSet {
 public:
  // Told when the set went from "no watch wants anything" to "some watch does" or back.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void wanting_changed() noexcept = 0;
  };

  // `epoll` comes from open(); the listener outlives the set.
  PollSet(unique_fd epoll, Listener& listener);
  PollSet(const PollSet&) = delete;
  PollSet& operator=(const PollSet&) = delete;
  ~PollSet();

  // An empty epoll descriptor, close-on-exec.
  static Result<unique_fd> open();

  // As Loop::watch. errc::io for what cannot be waited for (a regular file, a directory), already_exists for a
  // descriptor that is watched, invalid_argument for one that is not open, exhausted at the kernel's limit.
  Result<std::unique_ptr<FdWatch>> add(int fd, Interest wanted, Loop::FdCallback on_ready);

  // Asks the kernel, without waiting.
  bool any_ready() const noexcept;
  int fd() const noexcept { return epoll_.get(); }             // readable while something wanted is ready
  std::size_t wanting() const noexcept { return wanting_; }    // watches whose interest is not none
  std::size_t watches() const noexcept { return watches_; }

  // Fetches what is ready now, at most kBatch events, and runs the callbacks; returns early when `stop` becomes true.
  // What was not run stays ready and comes again. Must not be called from a callback.
  void dispatch(const std::atomic<bool>& stop) noexcept;

  static constexpr std::size_t kBatch = 256;

 private:
  class Watch;
  static constexpr std::uint32_t kNoSlot = UINT32_MAX;
  struct Slot {
    int fd = -1;
    Interest wanted = Interest::none;
    bool live = false;
    std::uint32_t generation = 0;
    Loop::FdCallback on_ready;
  };

  std::uint32_t take_slot();
  void free_slot(std::uint32_t index) noexcept;
  void remove(std::uint32_t index) noexcept;
  void change(std::uint32_t index, Interest wanted);
  void count_wanting(Interest before, Interest after) noexcept;
  void run_slot(const epoll_event& event) noexcept;

  unique_fd epoll_;
  Listener& listener_;
  std::deque<Slot> slots_;  // a deque: a callback may add watches while its own slot is in use
  std::vector<std::uint32_t> free_;
  std::size_t wanting_ = 0;
  std::size_t watches_ = 0;
  std::uint32_t running_ = kNoSlot;  // the slot whose callback runs now
  std::array<epoll_event, kBatch> batch_;
};

}  // namespace tenon::event
