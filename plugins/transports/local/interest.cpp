#include "interest.hpp"

#include <algorithm>
#include <utility>

#include "../shared/subject.hpp"

namespace tenon::local {

InterestTable::Added InterestTable::add(std::string_view pattern, Member member) {
  auto& patterns = patterns_[member.peer];
  if (patterns.size() >= kSubscriptionsMax) return Added::full;
  if (!patterns.emplace(member.subscription, std::string(pattern)).second) return Added::exists;
  if (!member.group.empty()) ++group_sizes_[member.group];
  auto& entries =
      transports::has_wildcard(pattern) ? wildcards_[std::string(pattern)] : literals_[std::string(pattern)];
  entries.push_back({next_order_++, std::move(member)});
  return Added::yes;
}

void InterestTable::remove(PeerId peer, std::uint64_t subscription) {
  const auto of_peer = patterns_.find(peer);
  if (of_peer == patterns_.end()) return;
  const auto found = of_peer->second.find(subscription);
  if (found == of_peer->second.end()) return;
  const std::string pattern = std::move(found->second);
  of_peer->second.erase(found);
  if (of_peer->second.empty()) patterns_.erase(of_peer);

  const bool wild = transports::has_wildcard(pattern);
  auto& entries = wild ? wildcards_[pattern] : literals_[pattern];
  const auto entry = std::find_if(entries.begin(), entries.end(), [&](const Entry& candidate) {
    return candidate.member.peer == peer && candidate.member.subscription == subscription;
  });
  if (entry != entries.end()) {
    const auto group = group_sizes_.find(entry->member.group);
    if (group != group_sizes_.end() && --group->second == 0) {
      turns_.erase(group->first);
      group_sizes_.erase(group);
    }
    entries.erase(entry);
  }
  if (!entries.empty()) return;
  if (wild) {
    wildcards_.erase(pattern);
  } else {
    literals_.erase(pattern);
  }
}

void InterestTable::remove_peer(PeerId peer) {
  const auto of_peer = patterns_.find(peer);
  if (of_peer == patterns_.end()) return;
  std::vector<std::uint64_t> subscriptions;
  for (const auto& [subscription, pattern] : of_peer->second) subscriptions.push_back(subscription);
  for (const std::uint64_t subscription : subscriptions) remove(peer, subscription);
}

Matches InterestTable::match(std::string_view topic, std::string_view origin) const {
  std::vector<const Entry*> all;
  const auto collect = [&](const std::vector<Entry>& entries) {
    for (const Entry& entry : entries) {
      if (entry.member.node != origin) all.push_back(&entry);
    }
  };
  if (const auto found = literals_.find(topic); found != literals_.end()) collect(found->second);
  for (const auto& [pattern, entries] : wildcards_) {
    if (transports::matches(pattern, topic)) collect(entries);
  }
  // One order whichever pattern matched, so that the turn goes round the members of a group fairly.
  std::sort(all.begin(), all.end(), [](const Entry* a, const Entry* b) { return a->order < b->order; });
  Matches matches;
  for (const Entry* entry : all) {
    if (entry->member.group.empty()) {
      matches.plain.push_back(&entry->member);
    } else {
      matches.groups[entry->member.group].push_back(&entry->member);
    }
  }
  return matches;
}

std::size_t InterestTable::next_turn(std::string_view group, std::size_t members) {
  auto found = turns_.find(group);
  if (found == turns_.end()) found = turns_.emplace(std::string(group), 0).first;
  return found->second++ % members;
}

}  // namespace tenon::local
