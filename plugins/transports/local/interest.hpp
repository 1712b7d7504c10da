// Who wants which events: the subscriptions of all hosts as the listener knows them, and whose turn it is in each
// group.
//
// The model. A member is one subscription of one peer; the listening host is peer kSelf. For a topic there are the
// plain members, all of which get the event, and per group name the members of which exactly one gets it, in turn.
// Members of the node that the event came from are left out, so that nothing goes back to its origin. Subjects are
// looked up by hash among the patterns without wildcards; patterns with wildcards are tried one after another.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tenon::local {

using PeerId = std::uint64_t;
inline constexpr PeerId kSelf = 0;
inline constexpr std::size_t kSubscriptionsMax = 10000;  // of one peer

struct Member {
  PeerId peer = 0;
  std::uint64_t subscription = 0;
  std::string node;   // of the peer
  std::string group;  // empty: none
};

// The receivers of one event. Pointers are valid until the table changes.
struct Matches {
  std::vector<const Member*> plain;
  std::map<std::string_view, std::vector<const Member*>> groups;  // members in order of subscribing
  bool empty() const noexcept { return plain.empty() && groups.empty(); }
};

class InterestTable {
 public:
  enum class Added { yes, exists, full };
  // Requires a legal pattern.
  Added add(std::string_view pattern, Member member);
  void remove(PeerId peer, std::uint64_t subscription);
  void remove_peer(PeerId peer);
  // Who gets an event with the topic that came from `origin`.
  Matches match(std::string_view topic, std::string_view origin) const;
  // Whose turn it is: an index below `members`, another one each time.
  std::size_t next_turn(std::string_view group, std::size_t members);

 private:
  struct Entry {
    std::uint64_t order;
    Member member;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
  };
  using Literals = std::unordered_map<std::string, std::vector<Entry>, Hash, std::equal_to<>>;

  Literals literals_;                                                // by subject
  std::map<std::string, std::vector<Entry>> wildcards_;              // by pattern
  std::map<PeerId, std::map<std::uint64_t, std::string>> patterns_;  // peer → subscription → pattern
  std::map<std::string, std::size_t, std::less<>> turns_;
  std::map<std::string, std::size_t, std::less<>> group_sizes_;  // to forget a turn with its group
  std::uint64_t next_order_ = 0;
};

}  // namespace tenon::local
