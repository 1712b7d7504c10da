#include "notes.hpp"

#include <iterator>
#include <utility>

namespace tenon::nats {

namespace {

constexpr std::size_t kProblems = 16;  // for one turn of the loop; a server can complain about every publish

}  // namespace

std::size_t size_of(const natsMsg* message) noexcept {
  return 256 +
         static_cast<std::size_t>(natsMsg_GetDataLength(message));  // 256: subject, headers and nats.c's own fields
}

// Called with the lock held. If the host has no room for the callback, the next note tries again.
void Notes::wake_loop() {
  if (!woken_) woken_ = host_->post_to_loop(host_->context, wake_, argument_) == TENON_OK;
}

void Notes::add(Note note) {
  const std::lock_guard lock(mutex_);
  if (silent_ || (note.what == Note::What::problem && ++problems_ > kProblems)) return;
  waiting_.notes.push_back(std::move(note));
  wake_loop();
}

void Notes::add(std::vector<Note> notes) {
  if (notes.empty()) return;
  const std::lock_guard lock(mutex_);
  if (silent_) return;
  std::move(notes.begin(), notes.end(), std::back_inserter(waiting_.notes));
  wake_loop();
}

void Notes::add_message(Note::What what, std::uint64_t number, MessagePtr message) {
  const std::size_t octets = size_of(message.get());
  const std::lock_guard lock(mutex_);
  if (silent_) return;
  if (octets_ != 0 && octets_ + octets > max_octets_) {
    if (what == Note::What::incoming) ++waiting_.dropped[number];
  } else {
    octets_ += octets;
    waiting_.notes.push_back({what, number, 0, {}, std::move(message)});
  }
  wake_loop();
}

void Notes::add_dropped(std::uint64_t subscription, std::uint64_t count) {
  const std::lock_guard lock(mutex_);
  if (silent_ || count == 0) return;
  waiting_.dropped[subscription] += count;
  wake_loop();
}

Notes::Taken Notes::take() {
  const std::lock_guard lock(mutex_);
  woken_ = false;
  problems_ = 0;
  return std::exchange(waiting_, {});
}

void Notes::release(std::size_t octets) {
  const std::lock_guard lock(mutex_);
  octets_ -= octets;
}

void Notes::silence() {
  const std::lock_guard lock(mutex_);
  silent_ = true;
  waiting_ = {};
}

}  // namespace tenon::nats
