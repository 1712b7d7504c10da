#include "message/in_flight_table.hpp"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/ids.hpp"
#include "unit/message/rig.hpp"

namespace tenon::message {
namespace {

using namespace rig;
using testing::ElementsAre;

class InFlightTableTest : public testing::Test {
 protected:
  // Few hashes for many ids: buckets hold several.
  static std::uint64_t hash(std::string_view id) { return std::hash<std::string_view>{}(id) % 7; }
  void push(const std::string& id) {
    InFlight entry;
    entry.id_hash = hash(id);
    entry.waiting.message = MessageRef::copy(event(id), budget_);
    table_.push_back(std::move(entry));
  }
  bool take(const std::string& id) {
    const auto taken = table_.take(hash(id), id);
    if (!taken) return false;
    EXPECT_EQ(taken->waiting.message.event().envelope.id, id);
    return true;
  }
  std::vector<std::string> ids() {
    std::vector<std::string> out;
    table_.for_each([&](InFlight& entry) { out.emplace_back(entry.waiting.message.event().envelope.id); });
    return out;
  }
  EventBudget budget_{64u << 20};
  InFlightTable table_;
};

TEST_F(InFlightTableTest, KeepsTheOrderOfDeliveryWhateverIsTakenOut) {
  for (const char* id : {"1", "2", "3", "4", "5"}) push(id);
  EXPECT_TRUE(take("3"));
  EXPECT_FALSE(take("3"));
  EXPECT_TRUE(take("1"));
  push("3");
  EXPECT_THAT(ids(), ElementsAre("2", "4", "5", "3"));
  EXPECT_TRUE(take("3"));
  EXPECT_EQ(table_.pop_front().waiting.message.event().envelope.id, "2");
  EXPECT_EQ(table_.front().waiting.message.event().envelope.id, "4");
  EXPECT_EQ(table_.size(), 2u);
}

TEST_F(InFlightTableTest, FindsWhatIsThereAndNothingElse) {
  EXPECT_EQ(table_.find(1, "1"), nullptr);
  push("1");
  EXPECT_NE(table_.find(hash("1"), "1"), nullptr);
  EXPECT_FALSE(table_.erase(hash("1"), "another of that hash"));
  EXPECT_TRUE(table_.erase(hash("1"), "1"));
  EXPECT_FALSE(table_.erase(hash("1"), "1"));
  EXPECT_EQ(budget_.used(), 0u);
  push("1");
  EXPECT_EQ(table_.find(hash("1"), "another of that hash"), nullptr);
}

TEST_F(InFlightTableTest, HoldsNoMessageThatWasTaken) {
  for (int i = 0; i < 100; ++i) push(std::to_string(i));
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(take(std::to_string(i)));
  EXPECT_EQ(budget_.used(), 0u);
}

TEST_F(InFlightTableTest, StartsAnewAfterABurst) {
  for (std::size_t round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i < 3 * InFlightTable::kKept; ++i) push(std::to_string(i));
    while (!table_.empty()) table_.pop_front();
    push("1");
    EXPECT_THAT(ids(), ElementsAre("1"));
    EXPECT_TRUE(take("1"));
  }
}

TEST_F(InFlightTableTest, AgreesWithAListThroughChurn) {
  Random random(7);
  std::vector<std::string> model;
  for (int step = 0; step < 5000; ++step) {
    const std::string id = std::to_string(random.below(60));
    const auto at = std::find(model.begin(), model.end(), id);
    if (at == model.end() && random.below(2) == 0) {
      push(id);
      model.push_back(id);
    } else {
      EXPECT_EQ(take(id), at != model.end());
      if (at != model.end()) model.erase(at);
    }
    ASSERT_EQ(table_.size(), model.size());
    if (step % 50 == 0) {
      ASSERT_THAT(ids(), testing::ElementsAreArray(model));
    }
  }
}

}  // namespace
}  // namespace tenon::message
