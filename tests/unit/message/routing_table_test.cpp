#include "message/routing_table.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/ids.hpp"
#include "common/text.hpp"
#include "message/topic.hpp"

namespace tenon::message {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(RoutingTable, GivesEachSubscriberOnceForAllItsPlainSubscriptions) {
  RoutingTable table;
  for (const char* pattern : {"a.b", "a.*", "a.>", ">"}) ASSERT_TRUE(table.subscribe(pattern, 7).ok());
  ASSERT_TRUE(table.subscribe("a.b", 3).ok());
  EXPECT_THAT(table.match("a.b")->plain, ElementsAre(3u, 7u));
  EXPECT_THAT(table.match("x")->plain, ElementsAre(7u));
}

TEST(RoutingTable, GivesAGroupNameOnceAsTheUnionOfItsMatchingPatterns) {
  RoutingTable table;
  const GroupId wide = *table.subscribe("a.>", 1, "g");
  const GroupId exact = *table.subscribe("a.b", 2, "g");
  EXPECT_NE(wide, exact);
  EXPECT_EQ(*table.subscribe("a.>", 3, "g"), wide);
  const GroupId other = *table.subscribe("a.b", 1, "h");
  EXPECT_THAT(table.match("a.c")->groups, ElementsAre(wide));
  EXPECT_THAT(table.take_unions(), IsEmpty());

  const std::vector<GroupId> groups = table.match("a.b")->groups;
  ASSERT_EQ(groups.size(), 2u);
  const GroupId both = groups[0] == other ? groups[1] : groups[0];
  EXPECT_THAT(groups, testing::UnorderedElementsAre(both, other));
  EXPECT_EQ(table.group_name(both), "g");
  EXPECT_EQ(table.group_pattern(both), "a.> a.b");
  const std::vector<GroupUnion> made = table.take_unions();
  ASSERT_EQ(made.size(), 1u);
  EXPECT_EQ(made[0].group, both);
  EXPECT_THAT(made[0].parts, ElementsAre(wide, exact));
  EXPECT_THAT(table.match_uncached("a.b").groups, testing::UnorderedElementsAre(both, other));
  EXPECT_THAT(table.take_unions(), IsEmpty()) << "it is known";
}

TEST(RoutingTable, MergesAUnionIntoWhatIsLeftOfIt) {
  RoutingTable table;
  const GroupId a = *table.subscribe("x", 1, "g"), b = *table.subscribe("*", 2, "g"), c = *table.subscribe(">", 3, "g");
  const GroupId all = table.match("x")->groups.front();
  const GroupId wide = table.match("y")->groups.front();
  ASSERT_TRUE(table.take_mergers().empty());
  table.unsubscribe("x", 1, "g");  // {a b c} becomes {b c}, which is there already
  std::vector<GroupMerger> mergers = table.take_mergers();
  ASSERT_EQ(mergers.size(), 1u);
  EXPECT_EQ(mergers[0].from, all);
  EXPECT_EQ(mergers[0].into, wide);
  EXPECT_THAT(table.match("x")->groups, ElementsAre(wide));
  table.unsubscribe("*", 2, "g");
  mergers = table.take_mergers();
  ASSERT_EQ(mergers.size(), 1u);
  EXPECT_EQ(mergers[0].from, wide);
  EXPECT_EQ(mergers[0].into, c);
  EXPECT_THAT(table.match("x")->groups, ElementsAre(c));
  EXPECT_NE(a, b);
}

TEST(RoutingTable, KeepsAUnionThatLosesAPartAndIsStillTheOnlyOneOfItsKind) {
  RoutingTable table;
  for (const char* pattern : {"x", "*", ">"}) ASSERT_TRUE(table.subscribe(pattern, 1, "g").ok());
  const GroupId all = table.match("x")->groups.front();
  table.unsubscribe("x", 1, "g");
  EXPECT_TRUE(table.take_mergers().empty());
  EXPECT_THAT(table.match("y")->groups, ElementsAre(all));
  EXPECT_EQ(table.group_pattern(all), "* >");
}

TEST(RoutingTable, LetsTheOldestPatternTakeItAloneBeyondTheLimitOfUnions) {
  RoutingTable table;
  // Each topic of 11 tokens matches another subset of 11 patterns: 2 to the power of 11 unions.
  constexpr int kTokens = 11;
  for (int i = 0; i < kTokens; ++i) {
    std::string pattern;
    for (int j = 0; j < kTokens; ++j) pattern += std::string(j == 0 ? "" : ".") + (i == j ? "1" : "*");
    ASSERT_TRUE(table.subscribe(pattern, static_cast<SubscriberId>(i), "g").ok());
  }
  for (unsigned bits = 1; bits < 1u << kTokens; ++bits) {
    std::string topic;
    for (int j = 0; j < kTokens; ++j) topic += std::string(j == 0 ? "" : ".") + ((bits >> j & 1) != 0 ? "1" : "0");
    ASSERT_EQ(table.match(topic)->groups.size(), 1u) << topic;
  }
  EXPECT_EQ(table.take_unions().size(), GroupRegistry::kMaxUnions);
}

TEST(RoutingTable, ReusesTheIdsOfGroupsWithoutMembers) {
  RoutingTable table;
  const GroupId first = *table.subscribe("a", 1, "g");
  ASSERT_TRUE(table.subscribe("a", 2, "g").ok());
  EXPECT_EQ(table.unsubscribe("a", 1, "g"), first);
  EXPECT_NE(*table.subscribe("b", 1, "h"), first);
  EXPECT_EQ(table.unsubscribe("a", 2, "g"), first);
  EXPECT_EQ(*table.subscribe("c", 1, "i"), first);
  EXPECT_EQ(table.group_name(first), "i");
}

TEST(RoutingTable, CountsTheSameSubscriptionOnce) {
  RoutingTable table;
  ASSERT_TRUE(table.subscribe("a.*", 1).ok());
  ASSERT_TRUE(table.subscribe("a.*", 1).ok());
  EXPECT_EQ(table.size(), 1u);
  ASSERT_TRUE(table.subscribe("a.*", 1, "g").ok());  // plain and grouped are two
  EXPECT_EQ(table.size(), 2u);
  EXPECT_EQ(table.unsubscribe("a.*", 1), kNoGroup);
  EXPECT_EQ(table.unsubscribe("a.*", 1), std::nullopt);
  EXPECT_EQ(table.unsubscribe("none", 1), std::nullopt);
  EXPECT_EQ(table.size(), 1u);
}

TEST(RoutingTable, RefusesIllegalPatternsAndTopics) {
  RoutingTable table;
  EXPECT_EQ(table.subscribe("a..b", 1).error().code, errc::invalid_argument);
  EXPECT_EQ(table.subscribe("a", 1, "my group").error().code, errc::invalid_argument);
  ASSERT_TRUE(table.subscribe(">", 1).ok());
  EXPECT_EQ(table.match("a..b"), nullptr);
  EXPECT_EQ(table.match("a.*"), nullptr);
  EXPECT_EQ(table.match(""), nullptr);
}

TEST(RoutingTable, ForgetsItsCacheWithEveryChange) {
  RoutingTable table;
  ASSERT_TRUE(table.subscribe("a", 1).ok());
  EXPECT_THAT(table.match("a")->plain, ElementsAre(1u));
  ASSERT_TRUE(table.subscribe("*", 2).ok());
  EXPECT_THAT(table.match("a")->plain, ElementsAre(1u, 2u));
  table.unsubscribe("a", 1);
  EXPECT_THAT(table.match("a")->plain, ElementsAre(2u));
  table.remove_subscriber(2);
  EXPECT_TRUE(table.match("a")->empty());
}

TEST(RoutingTable, AnswersWideTopicsWithoutKeepingThem) {
  RoutingTable table;
  for (SubscriberId i = 0; i < 5000; ++i) ASSERT_TRUE(table.subscribe("wide", i).ok());
  ASSERT_TRUE(table.subscribe("narrow", 1).ok());
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(table.match("wide")->plain.size(), 5000u);
    EXPECT_THAT(table.match("narrow")->plain, ElementsAre(1u));
  }
}

TEST(RoutingTable, KeepsManySubscribersOfOnePatternAndManyPatternsOfOneSubscriber) {
  RoutingTable table;
  for (SubscriberId i = 0; i < 50'000; ++i) {
    ASSERT_TRUE(table.subscribe("same", i).ok());
    ASSERT_TRUE(table.subscribe("own." + std::to_string(i), 0).ok());
  }
  for (SubscriberId i = 0; i < 50'000; ++i) {  // in the order they came: pairs would take minutes
    ASSERT_EQ(table.unsubscribe("same", i), kNoGroup);
    ASSERT_EQ(table.unsubscribe("own." + std::to_string(i), 0), kNoGroup);
  }
  EXPECT_EQ(table.size(), 0u);
}

// The table against a list that is searched with pattern_matches.
class NaiveTable {
 public:
  using Key = std::tuple<std::string, SubscriberId, std::string>;
  void subscribe(const std::string& pattern, SubscriberId id, const std::string& group) {
    if (subscriptions_.insert({pattern, id, group}).second && !group.empty()) ++members_[{group, pattern}];
  }
  bool unsubscribe(const std::string& pattern, SubscriberId id, const std::string& group) {
    if (subscriptions_.erase({pattern, id, group}) == 0) return false;
    leave(group, pattern);
    return true;
  }
  void remove_subscriber(SubscriberId id) {
    for (auto at = subscriptions_.begin(); at != subscriptions_.end();) {
      if (std::get<1>(*at) != id) {
        ++at;
        continue;
      }
      leave(std::get<2>(*at), std::get<0>(*at));
      at = subscriptions_.erase(at);
    }
  }
  std::set<SubscriberId> plain(std::string_view topic) const {
    std::set<SubscriberId> out;
    for (const auto& [pattern, id, group] : subscriptions_)
      if (group.empty() && pattern_matches(pattern, topic)) out.insert(id);
    return out;
  }
  std::map<std::string, std::set<std::string>> groups(std::string_view topic) const {  // name to patterns
    std::map<std::string, std::set<std::string>> out;
    for (const auto& [key, members] : members_)
      if (members != 0 && pattern_matches(key.second, topic)) out[key.first].insert(key.second);
    return out;
  }
  std::size_t size() const { return subscriptions_.size(); }

 private:
  void leave(const std::string& group, const std::string& pattern) {
    if (!group.empty()) --members_[{group, pattern}];
  }
  std::set<Key> subscriptions_;
  std::map<std::pair<std::string, std::string>, int> members_;
};

class RoutingTableModel : public testing::TestWithParam<std::uint64_t> {};

TEST_P(RoutingTableModel, AgreesWithASearchedListThroughChurn) {
  Random random(GetParam());
  RoutingTable table;
  NaiveTable model;
  const auto text = [&](bool wildcards) {
    std::string out;
    const std::uint64_t tokens = 1 + random.below(4);
    for (std::uint64_t i = 0; i < tokens; ++i) {
      if (i != 0) out += '.';
      const std::uint64_t kind = random.below(10);
      if (wildcards && kind == 0 && i + 1 == tokens) out += '>';
      else if (wildcards && kind < 3) out += '*';
      else out += std::string(1 + random.below(2), static_cast<char>('a' + random.below(3)));
    }
    return out;
  };
  const auto group = [&] { return random.below(2) == 0 ? std::string() : "g" + std::to_string(random.below(3)); };
  for (int step = 0; step < 4000; ++step) {
    const SubscriberId id = static_cast<SubscriberId>(random.below(12));
    const std::string pattern = text(true), name = group();
    switch (random.below(8)) {
      case 0: case 1: case 2:
        ASSERT_TRUE(table.subscribe(pattern, id, name).ok());
        model.subscribe(pattern, id, name);
        break;
      case 3: case 4:
        ASSERT_EQ(table.unsubscribe(pattern, id, name).has_value(), model.unsubscribe(pattern, id, name));
        break;
      case 5:
        if (random.below(20) != 0) break;
        table.remove_subscriber(id);
        model.remove_subscriber(id);
        break;
      default: break;
    }
    ASSERT_EQ(table.size(), model.size());
    const std::string topic = text(false);
    const Matches* found = table.match(topic);
    ASSERT_NE(found, nullptr);
    const auto plain = model.plain(topic);
    ASSERT_THAT(found->plain, testing::ElementsAreArray(plain)) << topic;
    std::map<std::string, std::set<std::string>> groups;
    for (const GroupId g : found->groups)
      for (const std::string_view one : split(table.group_pattern(g), ' '))
        groups[std::string(table.group_name(g))].emplace(one);
    ASSERT_EQ(groups.size(), found->groups.size()) << topic;
    ASSERT_EQ(groups, model.groups(topic)) << topic;
    const Matches uncached = table.match_uncached(topic);
    ASSERT_EQ(uncached.plain, found->plain);
    ASSERT_EQ(uncached.groups, found->groups);
  }
  ASSERT_EQ(table.list().size(), model.size());
  for (SubscriberId id = 0; id < 12; ++id) table.remove_subscriber(id);
  EXPECT_EQ(table.size(), 0u);
  EXPECT_TRUE(table.match("a")->empty());
}

INSTANTIATE_TEST_SUITE_P(Seeds, RoutingTableModel, testing::Range<std::uint64_t>(1, 9));

}  // namespace
}  // namespace tenon::message
