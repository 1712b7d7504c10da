#include "message/in_flight_table.hpp"

#include <utility>

namespace tenon::message {

InFlightTable::Index InFlightTable::index_of(std::uint64_t id_hash, std::string_view id) noexcept {
  if (size_ == 0) return kNone;
  Index i = bucket(id_hash);
  while (i != kNone) {
    const InFlight& entry = slots_[i].entry;
    if (entry.id_hash == id_hash && entry.waiting.message.event().envelope.id == id) break;
    i = slots_[i].chain;
  }
  return i;
}

InFlight* InFlightTable::find(std::uint64_t id_hash, std::string_view id) noexcept {
  const Index i = index_of(id_hash, id);
  return i == kNone ? nullptr : &slots_[i].entry;
}

void InFlightTable::grow() {
  const std::size_t before = slots_.size();
  slots_.resize(before == 0 ? 16 : before * 2);
  for (std::size_t i = slots_.size(); i > before; --i)
    slots_[i - 1].next = std::exchange(free_, static_cast<Index>(i - 1));
  buckets_.assign(slots_.size(), kNone);
  for (Index i = head_; i != kNone; i = slots_[i].next)
    slots_[i].chain = std::exchange(bucket(slots_[i].entry.id_hash), i);
}

void InFlightTable::push_back(InFlight entry) {
  if (free_ == kNone) grow();
  const Index i = free_;
  Slot& slot = slots_[i];
  free_ = slot.next;
  slot.chain = std::exchange(bucket(entry.id_hash), i);
  slot.entry = std::move(entry);
  slot.next = kNone;
  slot.previous = tail_;
  (tail_ == kNone ? head_ : slots_[tail_].next) = i;
  tail_ = i;
  ++size_;
}

// What the entry holds is let go of.
void InFlightTable::remove(Index index) {
  Slot& slot = slots_[index];
  Index* link = &bucket(slot.entry.id_hash);
  while (*link != index) link = &slots_[*link].chain;
  *link = slot.chain;
  (slot.previous == kNone ? head_ : slots_[slot.previous].next) = slot.next;
  (slot.next == kNone ? tail_ : slots_[slot.next].previous) = slot.previous;
  slot.entry.waiting = {};
  slot.next = std::exchange(free_, index);
  if (--size_ == 0 && slots_.size() > kKept) *this = InFlightTable();
}

bool InFlightTable::erase(std::uint64_t id_hash, std::string_view id) {
  const Index i = index_of(id_hash, id);
  if (i == kNone) return false;
  remove(i);
  return true;
}

std::optional<InFlight> InFlightTable::take(std::uint64_t id_hash, std::string_view id) {
  const Index i = index_of(id_hash, id);
  if (i == kNone) return std::nullopt;
  std::optional<InFlight> taken = std::move(slots_[i].entry);
  remove(i);
  return taken;
}

InFlight InFlightTable::pop_front() {
  InFlight taken = std::move(slots_[head_].entry);
  remove(head_);
  return taken;
}

}  // namespace tenon::message
