#include "outbox.hpp"

#include <pthread.h>
#include <signal.h>

#include <utility>

namespace tenon::nats {

std::size_t Outbox::octets_of(const Outgoing& item) noexcept {
  // Subscribing costs nothing: the calls that wait are limited in number, and a reconnect must get all of them through.
  return item.message == nullptr ? 0 : size_of(item.message.get());
}

void Outbox::start(Perform perform) {
  perform_ = std::move(perform);
  // Signals belong to the host's loop: a thread of ours must not be the one that they interrupt.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

bool Outbox::add(Outgoing item) {
  const std::size_t octets = octets_of(item);
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (octets_ != 0 && octets_ + octets > max_octets_) {
      refused_ = true;
      return false;
    }
    octets_ += octets;
    waiting_.push_back(std::move(item));
    wake = std::exchange(sleeping_, false);  // nobody wakes a thread that is awake
  }
  if (wake) changed_.notify_all();
  return true;
}

bool Outbox::wait_until_empty(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, deadline, [this] { return stopping_ || (waiting_.empty() && !busy_); }) &&
         waiting_.empty();
}

void Outbox::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  waiting_.clear();
}

void Outbox::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    sleeping_ = waiting_.empty();
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    sleeping_ = false;
    if (stopping_) break;
    std::vector<Outgoing> batch = std::exchange(waiting_, {});
    std::size_t octets = 0;
    for (const Outgoing& item : batch) octets += octets_of(item);
    busy_ = true;
    lock.unlock();
    sdk::guarded_void([&] { notes_.add(perform_(std::move(batch))); });
    lock.lock();
    busy_ = false;
    octets_ -= octets;
    if (refused_ && octets_ <= max_octets_ / 2) {
      refused_ = false;
      notes_.add(Note{Note::What::room});
    }
    if (waiting_.empty()) changed_.notify_all();
  }
  release_thread_memory();
}

}  // namespace tenon::nats
