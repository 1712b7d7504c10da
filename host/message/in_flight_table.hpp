// The deliveries of one at_least_once receiver that are not settled: in order of delivery, and by the event's id.
//
// Every step costs the same however many there are: a list in order runs through slots that a hash table finds. Slots
// keep their memory until the table is empty, and some of it beyond, so a receiver in steady state allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "message/mailbox.hpp"

namespace tenon::message {

struct InFlight {
  std::uint64_t id_hash = 0;
  Waiting waiting;
  MonotonicTime deadline;  // on the receiver's own clock
  GroupId group = kNoGroup;
  std::uint32_t group_incarnation = 0;
};

class InFlightTable {
 public:
  // Slots that an empty table keeps.
  static constexpr std::size_t kKept = 1024;

  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }

  // nullptr: no delivery of this id. Valid until the next change. `id_hash` must always be made of the id in the same
  // way.
  InFlight* find(std::uint64_t id_hash, std::string_view id) noexcept;
  // Behind all others. Its id must not be in the table.
  void push_back(InFlight entry);
  std::optional<InFlight> take(std::uint64_t id_hash, std::string_view id);
  bool erase(std::uint64_t id_hash, std::string_view id);  // false: it was not there
  InFlight& front() noexcept { return slots_[head_].entry; }  // requires !empty()
  InFlight pop_front();                                       // requires !empty()

  template <class Visit>
  void for_each(Visit&& visit) {
    for (Index i = head_; i != kNone; i = slots_[i].next) visit(slots_[i].entry);
  }

 private:
  using Index = std::uint32_t;
  static constexpr Index kNone = 0xffffffff;
  struct Slot {
    InFlight entry;
    Index next = kNone, previous = kNone;  // in order of delivery; `next` of a free slot: the next free one
    Index chain = kNone;                   // in the bucket
  };
  Index& bucket(std::uint64_t id_hash) noexcept { return buckets_[id_hash & (buckets_.size() - 1)]; }
  Index index_of(std::uint64_t id_hash, std::string_view id) noexcept;
  void grow();
  void remove(Index index);

  std::vector<Slot> slots_;
  std::vector<Index> buckets_;  // a power of two, as many as slots; or none
  Index head_ = kNone, tail_ = kNone, free_ = kNone;
  std::size_t size_ = 0;
};

}  // namespace tenon::message
