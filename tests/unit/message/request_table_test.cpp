#include "message/request_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/message/rig.hpp"

namespace tenon::message {
namespace {

using namespace rig;
using testing::ElementsAre;
using testing::IsEmpty;
using Match = RequestTable::Match;

class RequestTableTest : public testing::Test {
 protected:
  Status open(const std::string& id, Duration in = 30s, SubscriberId asker = 1) {
    return table_.open({id, "reply", "own-" + id, Asker{asker, 0}, kStart + in});
  }
  Match take(std::string_view id, Duration at = {}, std::string_view topic = "reply") {
    return table_.take(topic, id, kStart + at, out_);
  }
  std::vector<std::string> expire(Duration at) {
    std::vector<std::string> ids;
    table_.expire(kStart + at, [&](const PendingRequest& r) { ids.push_back(r.id); });
    return ids;
  }
  RequestTable table_;
  PendingRequest out_;
};

TEST_F(RequestTableTest, AnswersOnceAndCallsTheRestLate) {
  ASSERT_TRUE(open("1").ok());
  EXPECT_EQ(take("1"), Match::answer);
  EXPECT_EQ(out_.correlationid, "own-1");
  EXPECT_EQ(table_.pending(), 0u);
  EXPECT_EQ(take("1"), Match::late);
  EXPECT_EQ(take("1", 89s), Match::late);
}

TEST_F(RequestTableTest, KnowsNoOtherTopicAndNoOtherId) {
  ASSERT_TRUE(open("1").ok());
  EXPECT_EQ(take("2"), Match::none);
  EXPECT_EQ(take("1", {}, "other"), Match::none);
  EXPECT_EQ(take("1", {}, ""), Match::none);
  EXPECT_EQ(take(""), Match::none);
  EXPECT_EQ(take("1"), Match::answer);
}

TEST_F(RequestTableTest, TellsOfOverdueRequestsOnceInOrderOfTheirDeadlines) {
  ASSERT_TRUE(open("late", 20s).ok());
  ASSERT_TRUE(open("early", 10s).ok());
  EXPECT_EQ(table_.next_deadline(), kStart + 10s);
  EXPECT_THAT(expire(9s), IsEmpty());
  EXPECT_THAT(expire(20s), ElementsAre("early", "late"));
  EXPECT_THAT(expire(21s), IsEmpty());
  EXPECT_EQ(take("early", 30s), Match::late);
  EXPECT_THAT(expire(100s), IsEmpty());
  EXPECT_EQ(take("early", 100s), Match::none);  // forgotten
  EXPECT_EQ(table_.next_deadline(), std::nullopt);
}

TEST_F(RequestTableTest, CallsAnAnswerAtTheDeadlineLate) {
  ASSERT_TRUE(open("1", 10s).ok());
  EXPECT_EQ(take("1", 10s), Match::late);
  EXPECT_THAT(expire(10s), ElementsAre("1"));
}

TEST_F(RequestTableTest, RefusesASecondOpenRequestOfOneIdButNotALaterOne) {
  ASSERT_TRUE(open("1").ok());
  EXPECT_EQ(open("1").error().code, errc::already_exists);
  EXPECT_EQ(take("1"), Match::answer);
  ASSERT_TRUE(open("1", 50s).ok());
  EXPECT_THAT(expire(30s), IsEmpty());  // the first one's deadline says nothing about the second
  EXPECT_EQ(take("1", 40s), Match::answer);
}

TEST_F(RequestTableTest, ForgetsWithdrawnRequests) {
  ASSERT_TRUE(open("1").ok());
  table_.withdraw("1", "reply");
  table_.withdraw("2", "reply");
  EXPECT_EQ(table_.pending(), 0u);
  EXPECT_EQ(take("1"), Match::none);
  EXPECT_THAT(expire(1h), IsEmpty());
}

TEST_F(RequestTableTest, ClosesTheRequestsOfAnAskerThatIsGone) {
  ASSERT_TRUE(open("1", 30s, 1).ok());
  ASSERT_TRUE(open("2", 30s, 2).ok());
  table_.forget_asker(1);
  EXPECT_EQ(table_.pending(), 1u);
  EXPECT_EQ(take("1"), Match::late);
  EXPECT_THAT(expire(30s), ElementsAre("2"));
}

TEST_F(RequestTableTest, BoundsWhatWaitsWhatIsRememberedAndHowLongItIs) {
  EXPECT_EQ(open(std::string(RequestTable::kMaxTexts, 'x')).error().code, errc::invalid_argument);
  for (std::size_t i = 0; i < RequestTable::kMaxPending; ++i)
    ASSERT_TRUE(open(std::to_string(i), 30s, static_cast<SubscriberId>(i % 100)).ok());
  const Status full = open("one more");
  EXPECT_EQ(full.error().code, errc::exhausted);
  EXPECT_TRUE(full.error().retryable);
  for (std::size_t i = 0; i < RequestTable::kMaxPending; ++i) ASSERT_EQ(take(std::to_string(i)), Match::answer);
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(open("new" + std::to_string(i)).ok());
    ASSERT_EQ(take("new" + std::to_string(i)), Match::answer);
  }
  EXPECT_EQ(take("0"), Match::none);  // made room for the latest
  EXPECT_EQ(take("10"), Match::late);
  EXPECT_EQ(take("new9"), Match::late);
}

TEST_F(RequestTableTest, LetsNoSenderTakeThePlaceOfAllOthers) {
  for (std::size_t i = 0; i < RequestTable::kMaxPendingOfOne; ++i) ASSERT_TRUE(open(std::to_string(i)).ok());
  EXPECT_EQ(open("one more").error().code, errc::exhausted);
  EXPECT_TRUE(open("another's", 30s, 2).ok());
  EXPECT_EQ(take("0"), Match::answer);
  EXPECT_TRUE(open("one more").ok());
  table_.withdraw("1", "reply");
  EXPECT_TRUE(open("and more").ok());
  table_.forget_asker(1);
  for (std::size_t i = 0; i < RequestTable::kMaxPendingOfOne; ++i) ASSERT_TRUE(open("n" + std::to_string(i)).ok());
}

TEST_F(RequestTableTest, LeavesHalfOfItsPlacesToThoseWithin) {
  const SubscriberId outside = Asker{}.receiver;
  for (std::size_t i = 0; i < RequestTable::kMaxPendingFromOutside; ++i)
    ASSERT_TRUE(open("o" + std::to_string(i), 30s, outside).ok());
  EXPECT_EQ(open("one more", 30s, outside).error().code, errc::exhausted);
  EXPECT_TRUE(open("a worker's").ok());
}

TEST_F(RequestTableTest, BoundsTheOctetsOfWhatWaitsAndOfWhatIsRemembered) {
  const std::string long_text(RequestTable::kMaxTexts - 64, 'x');
  const auto id = [&](std::size_t i) { return std::to_string(i) + long_text; };
  const auto ask = [&](std::size_t i) {
    return table_.open({id(i), "reply", "", Asker{static_cast<SubscriberId>(i), 0}, kStart + 30s});
  };
  const std::size_t fit = RequestTable::kMaxPendingTexts / RequestTable::kMaxTexts;
  for (std::size_t i = 0; i < fit; ++i) ASSERT_TRUE(ask(i).ok());
  std::size_t more = fit;
  while (ask(more).ok()) ASSERT_LT(++more, fit + 100);
  EXPECT_EQ(ask(more).error().code, errc::exhausted);
  for (std::size_t i = 0; i < more; ++i) ASSERT_EQ(take(id(i)), Match::answer);
  EXPECT_EQ(table_.pending(), 0u);
  for (std::size_t i = 0; i < more; ++i) {
    ASSERT_TRUE(ask(more + i).ok());
    ASSERT_EQ(take(id(more + i)), Match::answer);
  }
  EXPECT_EQ(take(id(0)), Match::none) << "made room for the latest";
  EXPECT_EQ(take(id(2 * more - 1)), Match::late);
}

}  // namespace
}  // namespace tenon::message
