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

std::size_t Mailbox::next_list() const noexcept {
  if ((*lists_)[kReturned].head != nullptr) return kReturned;
  std::size_t best = 0;
  MonotonicTime best_rank = MonotonicTime::max();
  for (std::size_t i = 1; i < kLists; ++i) {
    const Node* head = (*lists_)[i].head;
    if (head == nullptr) continue;
    const MonotonicTime rank = head->waiting.since + i * kAgeingStep;
    if (rank < best_rank) best = i, best_rank = rank;
  }
  return best;
}

Waiting* Mailbox::front() noexcept { return empty() ? nullptr : &(*lists_)[next_list()].head->waiting; }

MonotonicTime Mailbox::front_rank() const noexcept {
  const std::size_t list = next_list();
  if (list == kReturned) return MonotonicTime::min();
  return (*lists_)[list].head->waiting.since + list * kAgeingStep;
}

Waiting Mailbox::take(std::size_t list) {
  List& from = (*lists_)[list];
  Node* node = from.head;
  from.head = node->next;
  if (from.head == nullptr) from.tail = nullptr;
  Waiting waiting = std::move(node->waiting);
  node->~Node();
  node_pool().deallocate(node, sizeof(Node), alignof(Node));
  --count_;
  bytes_ -= waiting.message.size();
  return waiting;
}

Waiting Mailbox::pop_front() { return take(next_list()); }

Waiting Mailbox::pop_oldest() {
  std::size_t oldest = 0;
  MonotonicTime oldest_since = MonotonicTime::max();
  for (std::size_t i = 0; i < kLists; ++i) {
    const Node* head = (*lists_)[i].head;
    if (head != nullptr && head->waiting.since < oldest_since) oldest = i, oldest_since = head->waiting.since;
  }
  return take(oldest);
}

}  // namespace tenon::message
