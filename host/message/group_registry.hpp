// The queue groups of a routing table: their names, their numbers, and which of them take an event together.
//
// The model. A group that is subscribed to is a pair (name, pattern) and has a number for as long as it has members. An
// event goes to each group *name* once: where several patterns of one name match, it is for the members of all of them
// together, for their *union*. A union is a group with a number of its own, made when such a topic is first met. When
// one of its parts ends, it goes on with those that are left, and becomes one with the group that consists of just
// these, if there is one.
//
// Whoever keeps queues for groups follows along by take_unions() and take_mergers(). Numbers of groups that ended are
// given out again by enter() alone, so there is time to take note.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tenon::message {

using GroupId = std::uint32_t;
inline constexpr GroupId kNoGroup = 0xffffffff;

struct GroupUnion {
  GroupId group;
  std::vector<GroupId> parts;  // ascending; some may have ended by now
};

struct GroupMerger {
  GroupId from;  // is no more
  GroupId into;  // has the same members
};

class GroupRegistry {
 public:
  // Beyond it, the oldest of several groups of one name takes the event alone. So many need as many different overlaps.
  static constexpr std::size_t kMaxUnions = 1024;

  // One more member; kNoGroup for an empty name.
  GroupId enter(std::string_view name, std::string_view pattern);
  // One member less; the group ends with its last. kNoGroup: nothing to leave.
  void leave(GroupId id);

  // Replaces groups of one name by their union. `groups` may have duplicates; it is left without, ascending.
  void unite(std::vector<GroupId>& groups);

  std::vector<GroupUnion> take_unions() { return std::exchange(new_unions_, {}); }
  std::vector<GroupMerger> take_mergers() { return std::exchange(new_mergers_, {}); }

  const std::string& name(GroupId id) const noexcept { return groups_[id].name; }
  // Of a union: all of them, with spaces between.
  const std::string& pattern(GroupId id) const noexcept { return groups_[id].pattern; }

 private:
  struct Group {
    std::string name = {}, pattern = {};
    std::uint32_t members = 0;          // 0 for a union
    std::uint64_t made = 0;             // order of creation
    std::vector<GroupId> parts = {};    // of a union; ascending
    std::vector<GroupId> unions = {};   // that it is part of
  };
  GroupId make(Group group);
  GroupId union_of(std::vector<GroupId> parts);
  void shrink_union(GroupId id, GroupId without);
  void describe_union(Group& group) const;

  std::vector<Group> groups_;
  std::vector<GroupId> free_, ended_;  // to be given out; not before the next enter()
  std::unordered_map<std::string, GroupId> ids_;    // by name and pattern
  std::map<std::vector<GroupId>, GroupId> unions_;  // by parts
  std::vector<GroupUnion> new_unions_;
  std::vector<GroupMerger> new_mergers_;
  std::uint64_t made_ = 0;
};

}  // namespace tenon::message
