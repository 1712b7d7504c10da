#include "message/subscription_trie.hpp"

#include <algorithm>

#include "common/ids.hpp"
#include "message/topic.hpp"
#include "message/topic_hash.hpp"

namespace tenon::message {

std::uint64_t topic_hash_seed() noexcept {
  static const std::uint64_t seed = random_u64() | 1;
  return seed;
}

SubscriptionTrie::SubscriptionTrie() : nodes_(1), slots_(64) {}

std::uint32_t SubscriptionTrie::hash_of(Index parent, std::string_view token) noexcept {
  return static_cast<std::uint32_t>(hash_text(token, topic_hash_seed() + parent));
}

SubscriptionTrie::Index SubscriptionTrie::find_child(Index parent, std::string_view token) const noexcept {
  const std::uint32_t hash = hash_of(parent, token);
  for (std::size_t i = hash & (slots_.size() - 1);; i = (i + 1) & (slots_.size() - 1)) {
    const Slot& slot = slots_[i];
    if (slot.node == kNone) return kNone;
    if (slot.hash == hash && nodes_[slot.node].parent == parent && nodes_[slot.node].token == token) return slot.node;
  }
}

void SubscriptionTrie::place(Slot slot) noexcept {
  std::size_t i = slot.hash & (slots_.size() - 1);
  while (slots_[i].node != kNone) i = (i + 1) & (slots_.size() - 1);
  slots_[i] = slot;
}

void SubscriptionTrie::grow_slots() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  for (const Slot& slot : old)
    if (slot.node != kNone) place(slot);
}

SubscriptionTrie::Index SubscriptionTrie::add_child(Index parent, std::string_view token) {
  Index index;
  if (free_nodes_.empty()) {
    index = static_cast<Index>(nodes_.size());
    nodes_.emplace_back();
  } else {
    index = free_nodes_.back();
    free_nodes_.pop_back();
  }
  nodes_[index].token = token;
  nodes_[index].parent = parent;
  if (token == "*") {
    nodes_[parent].star = index;
    return index;
  }
  if (++used_slots_ * 2 > slots_.size()) grow_slots();
  ++nodes_[parent].children;
  place({hash_of(parent, token), index});
  return index;
}

// Backward-shift deletion: no tombstones, so lookups never degrade.
void SubscriptionTrie::erase_slot(Index node) noexcept {
  const std::size_t mask = slots_.size() - 1;
  std::size_t i = hash_of(nodes_[node].parent, nodes_[node].token) & mask;
  while (slots_[i].node != node) i = (i + 1) & mask;
  for (std::size_t j = (i + 1) & mask; slots_[j].node != kNone; j = (j + 1) & mask) {
    const std::size_t home = slots_[j].hash & mask;
    if (((j - home) & mask) >= ((j - i) & mask)) {
      slots_[i] = slots_[j];
      i = j;
    }
  }
  slots_[i].node = kNone;
  --used_slots_;
}

void SubscriptionTrie::prune(Index index) noexcept {
  while (index != 0) {
    Node& node = nodes_[index];
    if (node.here != kNone || node.rest != kNone || node.star != kNone || node.children != 0) return;
    const Index parent = node.parent;
    if (nodes_[parent].star == index) {
      nodes_[parent].star = kNone;
    } else {
      erase_slot(index);
      --nodes_[parent].children;
    }
    node = Node{};
    free_nodes_.push_back(index);
    index = parent;
  }
}

SubscriptionTrie::Index* SubscriptionTrie::list_head(Index flagged) noexcept {
  Node& node = nodes_[flagged & ~kRestFlag];
  return (flagged & kRestFlag) != 0 ? &node.rest : &node.here;
}

SubscriptionTrie::Index SubscriptionTrie::find_node(std::string_view pattern, bool& rest) const noexcept {
  Index node = 0;
  rest = false;
  while (!pattern.empty()) {
    const std::string_view token = take_token(pattern);
    if (token == ">") {
      rest = true;
      return node;
    }
    node = token == "*" ? nodes_[node].star : find_child(node, token);
    if (node == kNone) return kNone;
  }
  return node;
}

// Walks the node's list and the subscriber's side by side: the shorter one decides, so neither ten thousand subscribers
// of one pattern nor one subscriber of ten thousand patterns make it quadratic.
SubscriptionTrie::Index SubscriptionTrie::find_sub(Index flagged, SubscriberId subscriber,
                                                   std::string_view group) noexcept {
  if (subscriber >= newest_of_subscriber_.size()) return kNone;
  const auto is_it = [&](const Sub& sub) {
    const bool same_group = sub.group == kNoGroup ? group.empty() : groups_.name(sub.group) == group;
    return sub.subscriber == subscriber && sub.node == flagged && same_group;
  };
  Index there = *list_head(flagged);
  Index own = newest_of_subscriber_[subscriber];
  for (; there != kNone && own != kNone; there = subs_[there].next, own = subs_[own].older) {
    if (is_it(subs_[there])) return there;
    if (is_it(subs_[own])) return own;
  }
  return kNone;  // one of the two lists has been seen in full
}

bool SubscriptionTrie::insert(std::string_view pattern, SubscriberId subscriber, std::string_view group,
                              GroupId& group_id) {
  Index node = 0;
  bool rest = false;
  for (std::string_view left = pattern; !left.empty();) {
    const std::string_view token = take_token(left);
    if (token == ">") {
      rest = true;
      break;
    }
    const Index child = token == "*" ? nodes_[node].star : find_child(node, token);
    node = child != kNone ? child : add_child(node, token);
  }
  const Index flagged = rest ? node | kRestFlag : node;
  if (const Index known = find_sub(flagged, subscriber, group); known != kNone) {
    group_id = subs_[known].group;
    return false;
  }

  group_id = groups_.enter(group, pattern);
  Index index;
  if (free_subs_.empty()) {
    index = static_cast<Index>(subs_.size());
    subs_.emplace_back();
  } else {
    index = free_subs_.back();
    free_subs_.pop_back();
  }
  if (newest_of_subscriber_.size() <= subscriber) newest_of_subscriber_.resize(subscriber + 1, kNone);
  const Index older = newest_of_subscriber_[subscriber];
  Index* head = list_head(flagged);
  subs_[index] = Sub{subscriber, group_id, flagged, *head, kNone, kNone, older};
  if (*head != kNone) subs_[*head].previous = index;
  if (older != kNone) subs_[older].newer = index;
  newest_of_subscriber_[subscriber] = index;
  *head = index;
  ++live_;
  return true;
}

void SubscriptionTrie::remove(Index index) {
  Sub& sub = subs_[index];
  if (sub.previous != kNone) subs_[sub.previous].next = sub.next;
  else *list_head(sub.node) = sub.next;
  if (sub.next != kNone) subs_[sub.next].previous = sub.previous;
  if (sub.newer != kNone) subs_[sub.newer].older = sub.older;
  else newest_of_subscriber_[sub.subscriber] = sub.older;
  if (sub.older != kNone) subs_[sub.older].newer = sub.newer;
  groups_.leave(sub.group);
  prune(sub.node & ~kRestFlag);
  free_subs_.push_back(index);
  --live_;
}

std::optional<GroupId> SubscriptionTrie::erase(std::string_view pattern, SubscriberId subscriber,
                                               std::string_view group) {
  bool rest;
  const Index node = find_node(pattern, rest);
  if (node == kNone) return std::nullopt;
  const Index index = find_sub(rest ? node | kRestFlag : node, subscriber, group);
  if (index == kNone) return std::nullopt;
  const GroupId group_id = subs_[index].group;
  remove(index);
  return group_id;
}

void SubscriptionTrie::erase_subscriber(SubscriberId subscriber) {
  if (subscriber >= newest_of_subscriber_.size()) return;
  while (newest_of_subscriber_[subscriber] != kNone) remove(newest_of_subscriber_[subscriber]);
}

void SubscriptionTrie::take_list(Index head, Matches& out) const {
  for (Index i = head; i != kNone; i = subs_[i].next) {
    if (subs_[i].group == kNoGroup) out.plain.push_back(subs_[i].subscriber);
    else out.groups.push_back(subs_[i].group);
  }
}

// Depth is bounded by the tokens of a topic, width by the nodes that exist.
void SubscriptionTrie::visit(Index index, std::string_view rest, bool done, Matches& out) const {
  const Node& node = nodes_[index];
  if (done) return take_list(node.here, out);
  take_list(node.rest, out);
  const bool last = rest.find('.') == std::string_view::npos;
  const std::string_view token = take_token(rest);
  if (node.children != 0)
    if (const Index child = find_child(index, token); child != kNone) visit(child, rest, last, out);
  if (node.star != kNone) visit(node.star, rest, last, out);
}

void SubscriptionTrie::collect(std::string_view topic, Matches& out) {
  visit(0, topic, false, out);
  std::sort(out.plain.begin(), out.plain.end());
  out.plain.erase(std::unique(out.plain.begin(), out.plain.end()), out.plain.end());
  groups_.unite(out.groups);
}

std::string SubscriptionTrie::pattern_of(Index flagged) const {
  std::string pattern = (flagged & kRestFlag) != 0 ? ">" : "";
  for (Index i = flagged & ~kRestFlag; i != 0; i = nodes_[i].parent)
    pattern = pattern.empty() ? nodes_[i].token : nodes_[i].token + "." + pattern;
  return pattern;
}

std::vector<Subscription> SubscriptionTrie::list() const {
  std::vector<Subscription> out;
  out.reserve(live_);
  for (const Index newest : newest_of_subscriber_)
    for (Index i = newest; i != kNone; i = subs_[i].older) {
      const Sub& sub = subs_[i];
      std::string group = sub.group == kNoGroup ? std::string() : groups_.name(sub.group);
      out.push_back({pattern_of(sub.node), std::move(group), sub.subscriber, sub.group});
    }
  return out;
}

}  // namespace tenon::message
