#include "message/mailbox.hpp"

#include <memory_resource>
#include <utility>

namespace tenon::message {

struct Mailbox::Node {
  Waiting waiting;
  Node* next = nullptr;
};

namespace {

// Nodes are small, of one size, and come and go with every queued event. [loop]
std::pmr::unsynchronized_pool_resource& node_pool() {
  static auto* pool = new std::pmr::unsynchronized_pool_resource();
  return *pool;
}

}  // namespace

std::string_view to_string(Overflow rule) noexcept {
  switch (rule) {
    case Overflow::dead_letter: return "dead_letter";
    case Overflow::drop_oldest: return "drop_oldest";
    case Overflow::reject: return "reject";
    case Overflow::block: return "block";
  }
  return "unknown";
}

Mailbox& Mailbox::operator=(Mailbox&& other) noexcept {
  std::swap(lists_, other.lists_);
  std::swap(count_, other.count_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

Mailbox::~Mailbox() {
  while (!empty()) pop_front();
}

void Mailbox::append(std::size_t list, Waiting waiting, bool in_front) {
  if (lists_ == nullptr) lists_ = std::make_unique<std::array<List, kLists>>();
  bytes_ += waiting.message.size();
  ++count_;
  auto* node = new (node_pool().allocate(sizeof(Node), alignof(Node))) Node{std::move(waiting)};
  List& to = (*lists_)[list];
  if (to.head == nullptr) {
    to.head = to.tail = node;
  } else if (in_front) {
    node->next = std::exchange(to.head, node);
  } else {
    to.tail = to.tail->next = node;
  }
}

void Mailbox::push(Waiting waiting) {
  const std::uint8_t priority = waiting.message.event().envelope.effective_priority();
  append(priority <= 10 ? priority : 10, std::move(waiting), false);
}

void Mailbox::push_returned(Waiting waiting) { append(kReturned, std::move(waiting), true); }

MonotonicTime Mailbox::rank_of(std::size_t list, const Node& node) noexcept {
  return list == kReturned ? MonotonicTime::min() : node.waiting.since + static_cast<int>(list) * kAgeingStep;
}

std::size_t Mailbox::next_list() const noexcept {
  std::size_t best = 0;
  MonotonicTime best_rank = MonotonicTime::max();
  for (std::size_t i = 0; i < kLists; ++i) {
    const Node* head = (*lists_)[i].head;
    if (head == nullptr) continue;
    const MonotonicTime rank = rank_of(i, *head);
    if (rank < best_rank) best = i, best_rank = rank;
  }
  return best;
}

void Mailbox::merge(Mailbox&& other) {
  if (other.empty()) return;
  if (empty()) return std::swap(*this, other);
  for (std::size_t i = 0; i < kLists; ++i) {
    Node* ours = (*lists_)[i].head;
    Node* theirs = std::exchange((*other.lists_)[i], {}).head;
    List merged;
    while (ours != nullptr || theirs != nullptr) {
      const bool take_ours = theirs == nullptr || (ours != nullptr && ours->waiting.since <= theirs->waiting.since);
      Node*& from = take_ours ? ours : theirs;
      Node* node = std::exchange(from, from->next);
      node->next = nullptr;
      if (merged.tail == nullptr) merged.head = merged.tail = node;
      else merged.tail = merged.tail->next = node;
    }
    (*lists_)[i] = merged;
  }
  count_ += std::exchange(other.count_, 0);
  bytes_ += std::exchange(other.bytes_, 0);
}

Mailbox::Place Mailbox::find_for(SubscriberId receiver) const noexcept {
  Place best;
  MonotonicTime best_rank = MonotonicTime::max();
  for (std::size_t i = 0; i < kLists; ++i) {
    Node* before = nullptr;
    Node* node = (*lists_)[i].head;
    for (std::size_t passed = 0; node != nullptr && node->waiting.sender == receiver; ++passed) {
      if (passed == kLookPast) node = nullptr;
      else before = node, node = node->next;
    }
    if (node == nullptr || !(rank_of(i, *node) < best_rank)) continue;
    best = {i, before, node};
    best_rank = rank_of(i, *node);
  }
  return best;
}

std::optional<Mailbox::Next> Mailbox::next_for(SubscriberId receiver) noexcept {
  if (empty()) return std::nullopt;
  const Place place = find_for(receiver);
  if (place.node == nullptr) return std::nullopt;
  return Next{&place.node->waiting, rank_of(place.list, *place.node)};
}

Waiting Mailbox::pop_for(SubscriberId receiver) { return take(find_for(receiver)); }

Waiting* Mailbox::front() noexcept { return empty() ? nullptr : &(*lists_)[next_list()].head->waiting; }

MonotonicTime Mailbox::front_rank() const noexcept {
  const std::size_t list = next_list();
  return rank_of(list, *(*lists_)[list].head);
}

Waiting Mailbox::take(Place place) {
  List& from = (*lists_)[place.list];
  Node* node = place.node;
  (place.before == nullptr ? from.head : place.before->next) = node->next;
  if (from.tail == node) from.tail = place.before;
  Waiting waiting = std::move(node->waiting);
  node->~Node();
  node_pool().deallocate(node, sizeof(Node), alignof(Node));
  --count_;
  bytes_ -= waiting.message.size();
  return waiting;
}

void Mailbox::forget_sender(SubscriberId sender) noexcept {
  if (empty()) return;
  for (const List& list : *lists_)
    for (Node* node = list.head; node != nullptr; node = node->next)
      if (node->waiting.sender == sender) node->waiting.sender = Waiting{}.sender;
}

std::vector<Waiting> Mailbox::take_sent_by(SubscriberId sender) {
  std::vector<Waiting> taken;
  for (std::size_t i = 0; i < kLists && !empty(); ++i) {
    Node* before = nullptr;
    for (Node* node = (*lists_)[i].head; node != nullptr;) {
      Node* next = node->next;
      if (node->waiting.sender == sender) taken.push_back(take({i, before, node}));
      else before = node;
      node = next;
    }
  }
  return taken;
}

Waiting Mailbox::pop_front() {
  const std::size_t list = next_list();
  return take({list, nullptr, (*lists_)[list].head});
}

Waiting Mailbox::pop_oldest() {
  std::size_t oldest = 0;
  MonotonicTime oldest_since = MonotonicTime::max();
  for (std::size_t i = 0; i < kLists; ++i) {
    const Node* head = (*lists_)[i].head;
    if (head != nullptr && head->waiting.since < oldest_since) oldest = i, oldest_since = head->waiting.since;
  }
  return take({oldest, nullptr, (*lists_)[oldest].head});
}

}  // namespace tenon::message
