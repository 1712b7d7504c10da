#include "message/group_registry.hpp"

#include <algorithm>

namespace tenon::message {

namespace {

std::string key_of(std::string_view name, std::string_view pattern) {
  std::string key(name);
  key += ' ';  // in neither of the two
  key += pattern;
  return key;
}

}  // namespace

GroupId GroupRegistry::make(Group group) {
  group.made = ++made_;
  if (free_.empty()) {
    groups_.push_back(std::move(group));
    return static_cast<GroupId>(groups_.size() - 1);
  }
  const GroupId id = free_.back();
  free_.pop_back();
  groups_[id] = std::move(group);
  return id;
}

GroupId GroupRegistry::enter(std::string_view name, std::string_view pattern) {
  if (name.empty()) return kNoGroup;
  free_.insert(free_.end(), ended_.begin(), ended_.end());
  ended_.clear();
  const auto [at, fresh] = ids_.try_emplace(key_of(name, pattern), kNoGroup);
  if (fresh) at->second = make({.name = std::string(name), .pattern = std::string(pattern)});
  ++groups_[at->second].members;
  return at->second;
}

void GroupRegistry::leave(GroupId id) {
  if (id == kNoGroup || --groups_[id].members != 0) return;
  ids_.erase(key_of(groups_[id].name, groups_[id].pattern));
  const std::vector<GroupId> unions = std::move(groups_[id].unions);
  for (const GroupId one : unions) shrink_union(one, id);
  ended_.push_back(id);
}

void GroupRegistry::shrink_union(GroupId id, GroupId without) {
  Group& group = groups_[id];
  unions_.erase(group.parts);
  std::erase(group.parts, without);
  GroupId same = group.parts.size() == 1 ? group.parts.front() : kNoGroup;
  if (same == kNoGroup) {
    const auto [at, fresh] = unions_.try_emplace(group.parts, id);
    if (fresh) return describe_union(group);
    same = at->second;
  }
  for (const GroupId part : group.parts) std::erase(groups_[part].unions, id);
  group = {};
  ended_.push_back(id);
  new_mergers_.push_back({id, same});
}

void GroupRegistry::describe_union(Group& group) const {
  group.pattern.clear();
  for (const GroupId part : group.parts) {
    if (!group.pattern.empty()) group.pattern += ' ';
    group.pattern += groups_[part].pattern;
  }
}

GroupId GroupRegistry::union_of(std::vector<GroupId> parts) {
  const GroupId oldest = parts.front();
  std::sort(parts.begin(), parts.end());
  if (const auto known = unions_.find(parts); known != unions_.end()) return known->second;
  if (unions_.size() >= kMaxUnions) return oldest;
  Group group{.name = groups_[oldest].name, .parts = parts};
  describe_union(group);
  const GroupId id = make(std::move(group));
  for (const GroupId part : parts) groups_[part].unions.push_back(id);
  unions_.emplace(parts, id);
  new_unions_.push_back({id, std::move(parts)});
  return id;
}

void GroupRegistry::unite(std::vector<GroupId>& groups) {
  if (groups.size() < 2) return;
  std::sort(groups.begin(), groups.end());
  groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
  const auto by_name_then_age = [this](GroupId a, GroupId b) {
    const int order = groups_[a].name.compare(groups_[b].name);
    return order != 0 ? order < 0 : groups_[a].made < groups_[b].made;
  };
  std::sort(groups.begin(), groups.end(), by_name_then_age);
  auto kept = groups.begin();
  for (auto begin = groups.begin(); begin != groups.end();) {
    const auto another = [&](GroupId id) { return groups_[id].name != groups_[*begin].name; };
    const auto end = std::find_if(begin + 1, groups.end(), another);
    const GroupId id = end - begin == 1 ? *begin : union_of({begin, end});
    *kept++ = id;
    begin = end;
  }
  groups.erase(kept, groups.end());
  std::sort(groups.begin(), groups.end());
}

}  // namespace tenon::message
