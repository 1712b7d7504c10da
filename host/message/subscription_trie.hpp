// The trie behind RoutingTable: tokens as nodes, subscriptions as linked lists at them. Indices instead of pointers,
// four octets each, so that a million subscriptions stay well under 200 octets apiece.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "message/group_registry.hpp"
#include "message/routing_table.hpp"

namespace tenon::message {

class SubscriptionTrie {
 public:
  SubscriptionTrie();

  // Requires a valid pattern. Returns whether it was new; `group_id` is set either way.
  bool insert(std::string_view pattern, SubscriberId subscriber, std::string_view group, GroupId& group_id);
  std::optional<GroupId> erase(std::string_view pattern, SubscriberId subscriber, std::string_view group);
  void erase_subscriber(SubscriberId subscriber);

  // Requires a valid topic. Fills `out`, which is empty, as Matches says; makes the unions that it takes.
  void collect(std::string_view topic, Matches& out);

  std::size_t size() const noexcept { return live_; }
  std::vector<Subscription> list() const;
  GroupRegistry& groups() noexcept { return groups_; }

 private:
  using Index = std::uint32_t;
  static constexpr Index kNone = 0xffffffff;

  struct Node {
    std::string token;      // "*" for the wildcard child; the root's is empty
    Index parent = kNone;   // kNone for the root and for free nodes
    Index star = kNone;     // the child for '*'
    Index here = kNone;     // subscriptions that end at this node
    Index rest = kNone;     // subscriptions that end with '>' below this node
    Index children = 0;     // literal children, '*' not counted
  };
  struct Sub {
    SubscriberId subscriber;
    GroupId group;
    Index node;                    // with the top bit set: in `rest`, else in `here`
    Index next, previous;          // in the node's list
    Index newer, older;            // in the subscriber's list
  };
  struct Slot {
    std::uint32_t hash;
    Index node = kNone;
  };
  static constexpr Index kRestFlag = 0x80000000;

  static std::uint32_t hash_of(Index parent, std::string_view token) noexcept;
  Index find_child(Index parent, std::string_view token) const noexcept;
  Index add_child(Index parent, std::string_view token);
  Index find_node(std::string_view pattern, bool& rest) const noexcept;
  void place(Slot slot) noexcept;
  void grow_slots();
  void erase_slot(Index node) noexcept;
  void prune(Index node) noexcept;
  Index* list_head(Index flagged_node) noexcept;
  Index find_sub(Index flagged_node, SubscriberId subscriber, std::string_view group) noexcept;
  void remove(Index sub);
  void visit(Index node, std::string_view rest, bool done, Matches& out) const;
  void take_list(Index head, Matches& out) const;
  std::string pattern_of(Index flagged_node) const;

  std::vector<Node> nodes_;
  std::vector<Index> free_nodes_;
  std::vector<Slot> slots_;
  std::size_t used_slots_ = 0;
  std::vector<Sub> subs_;
  std::vector<Index> free_subs_;
  std::vector<Index> newest_of_subscriber_;
  GroupRegistry groups_;
  std::size_t live_ = 0;
};

}  // namespace tenon::message
