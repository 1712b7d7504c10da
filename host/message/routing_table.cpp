#include "message/routing_table.hpp"

#include "message/subscription_trie.hpp"
#include "message/topic.hpp"
#include "message/topic_hash.hpp"

namespace tenon::message {

class RoutingTable::Trie : public SubscriptionTrie {
 public:
  Matches wide;  // the last answer that was too long for the cache
};

// What matched before: sets of four entries, replaced in turn. It starts small and grows when the topics in use do not
// fit, so that an idle host pays nothing and ten thousand hot topics still hit.
class RoutingTable::Cache {
 public:
  void invalidate() noexcept { ++generation_; }

  Matches* find(std::uint64_t hash, std::string_view topic) noexcept {
    Entry* set = &entries_[(hash & (sets_ - 1)) * kWays];
    for (std::size_t i = 0; i < kWays; ++i)
      if (set[i].hash == hash && set[i].generation == generation_ && set[i].topic == topic) return &set[i].matches;
    return nullptr;
  }

  static constexpr std::size_t kWidest = 1024;  // receivers and groups of one entry

  // The entry that replace() gave out last is not to be found.
  void forget(Matches* fresh) noexcept {
    *fresh = {};
    last_->generation = 0;
  }

  Matches* replace(std::uint64_t hash, std::string_view topic) {
    if (sets_ < kMaxSets && ++misses_ > sets_ * kWays * 2) grow();
    Entry& entry = entries_[(hash & (sets_ - 1)) * kWays + next_++ % kWays];
    last_ = &entry;
    entry.hash = hash;
    entry.generation = generation_;
    entry.topic = topic;
    entry.matches.plain.clear();
    entry.matches.groups.clear();
    return &entry.matches;
  }

 private:
  static constexpr std::size_t kWays = 4;
  static constexpr std::size_t kMaxSets = 4096;
  struct Entry {
    std::uint64_t hash = 0;
    std::uint64_t generation = 0;
    std::string topic;
    Matches matches;
  };
  void grow() {
    sets_ *= 4;
    misses_ = 0;
    entries_.clear();
    entries_.resize(sets_ * kWays);
  }
  std::uint64_t generation_ = 1;
  std::size_t sets_ = 16;
  std::vector<Entry> entries_ = std::vector<Entry>(16 * kWays);
  Entry* last_ = nullptr;
  std::size_t misses_ = 0;
  std::size_t next_ = 0;
};

RoutingTable::RoutingTable() : trie_(std::make_unique<Trie>()), cache_(std::make_unique<Cache>()) {}
RoutingTable::~RoutingTable() = default;

Result<GroupId> RoutingTable::subscribe(std::string_view pattern, SubscriberId subscriber, std::string_view group) {
  if (Status status = check_pattern(pattern); !status.ok()) return std::move(status).error();
  if (!group.empty())
    if (Status status = check_group(group); !status.ok()) return std::move(status).error();
  if (trie_->size() >= kMaxSubscriptions)
    return Error(errc::exhausted, "the routing table is full (4,000,000 subscriptions); unsubscribe some first");
  GroupId id = kNoGroup;
  if (trie_->insert(pattern, subscriber, group, id)) cache_->invalidate();
  return id;
}

std::optional<GroupId> RoutingTable::unsubscribe(std::string_view pattern, SubscriberId subscriber,
                                                 std::string_view group) {
  const std::optional<GroupId> removed = trie_->erase(pattern, subscriber, group);
  if (removed) cache_->invalidate();
  return removed;
}

void RoutingTable::remove_subscriber(SubscriberId subscriber) {
  trie_->erase_subscriber(subscriber);
  cache_->invalidate();
}

const Matches* RoutingTable::match(std::string_view topic) {
  const std::uint64_t hash = hash_text(topic, topic_hash_seed());
  if (Matches* known = cache_->find(hash, topic)) return known;
  if (!is_valid_topic(topic)) return nullptr;  // only legal topics are ever in the cache
  Matches* fresh = cache_->replace(hash, topic);
  trie_->collect(topic, *fresh);
  if (fresh->plain.size() + fresh->groups.size() <= Cache::kWidest) return fresh;
  // Thousands of hot topics with thousands of receivers each would fill the memory; writing to all of those costs more
  // than finding them.
  trie_->wide = std::move(*fresh);
  cache_->forget(fresh);
  return &trie_->wide;
}

Matches RoutingTable::match_uncached(std::string_view topic) {
  Matches out;
  if (is_valid_topic(topic)) trie_->collect(topic, out);
  return out;
}

std::vector<GroupUnion> RoutingTable::take_unions() { return trie_->groups().take_unions(); }
std::vector<GroupMerger> RoutingTable::take_mergers() { return trie_->groups().take_mergers(); }
std::size_t RoutingTable::size() const noexcept { return trie_->size(); }
std::vector<Subscription> RoutingTable::list() const { return trie_->list(); }
std::string_view RoutingTable::group_name(GroupId group) const noexcept { return trie_->groups().name(group); }
std::string_view RoutingTable::group_pattern(GroupId group) const noexcept { return trie_->groups().pattern(group); }

}  // namespace tenon::message
