// Which subscriptions match a topic.
//
// The model. Patterns live in a trie of tokens; a node's children hang in one open hash table keyed by (parent, token),
// so that a lookup costs one probe a token however many siblings there are. A subscription belongs to a subscriber,
// plainly or as a member of a queue group. What matched a topic is remembered in a small cache, so a hot topic costs
// one hash of its text; any change of the table makes the cache stale at once and for free (a generation counter).
//
// match() answers with each subscriber once for all its plain subscriptions together, and each group name once. A group
// is one queue: GroupId numbers the pair (name, pattern), and where several patterns of one name match, the union of
// their groups, which is made when it is first met (group_registry.hpp). Ids of groups that ended are reused by
// subscribe() alone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.hpp"
#include "message/group_registry.hpp"

namespace tenon::message {

using SubscriberId = std::uint32_t;

struct Matches {
  std::vector<SubscriberId> plain;  // ascending
  std::vector<GroupId> groups;      // ascending
  bool empty() const noexcept { return plain.empty() && groups.empty(); }
};

struct Subscription {
  std::string pattern;
  std::string group;  // empty: plain
  SubscriberId subscriber;
  GroupId group_id;  // kNoGroup if plain
};

class RoutingTable {
 public:
  RoutingTable();
  ~RoutingTable();
  RoutingTable(const RoutingTable&) = delete;
  RoutingTable& operator=(const RoutingTable&) = delete;

  // Adds; the same triple twice is one subscription. Returns the group's id, or kNoGroup for a plain one.
  // errc::invalid_argument for an illegal pattern, errc::exhausted beyond the limit.
  Result<GroupId> subscribe(std::string_view pattern, SubscriberId subscriber, std::string_view group = {});
  // Removes; empty if it was not there, else its group (kNoGroup for a plain one).
  std::optional<GroupId> unsubscribe(std::string_view pattern, SubscriberId subscriber, std::string_view group = {});
  // Removes all of a subscriber's. Linear in the subscriptions of the subscriber.
  void remove_subscriber(SubscriberId subscriber);

  // What matches; nullptr if the topic is illegal. Valid until the next call of any other function but those of groups.
  const Matches* match(std::string_view topic);
  // The same without the cache, for measuring and for tests.
  Matches match_uncached(std::string_view topic);

  // Unions that were made, and groups that became one when a part of a union ended, since these were last asked for.
  // Unions come first. Whoever keeps the groups' queues asks before each subscribe() and after each end of a
  // subscription.
  std::vector<GroupUnion> take_unions();
  std::vector<GroupMerger> take_mergers();

  std::size_t size() const noexcept;
  std::vector<Subscription> list() const;  // in no particular order; linear
  std::string_view group_name(GroupId group) const noexcept;
  std::string_view group_pattern(GroupId group) const noexcept;

  static constexpr std::size_t kMaxSubscriptions = 4'000'000;

 private:
  class Trie;
  class Cache;
  std::unique_ptr<Trie> trie_;
  std::unique_ptr<Cache> cache_;
};

}  // namespace tenon::message
