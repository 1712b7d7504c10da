#include "message/mailbox.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/message/rig.hpp"

namespace tenon::message {
namespace {

using namespace rig;
using testing::ElementsAre;

class MailboxTest : public testing::Test {
 protected:
  Waiting waiting(std::string_view id, std::uint8_t priority = 0, Duration age = {}, ReceiverId sender = kNoReceiver) {
    return {MessageRef::copy(event(Fields{.id = id, .priority = priority}), budget_), kStart + age, 0, sender};
  }
  std::vector<std::string> drain() {
    std::vector<std::string> ids;
    while (!box_.empty()) ids.emplace_back(box_.pop_front().message.event().envelope.id);
    return ids;
  }
  EventBudget budget_{1 << 20};
  Mailbox box_;
};

TEST_F(MailboxTest, KeepsTheOrderWithinAPriority) {
  for (const char* id : {"1", "2", "3"}) box_.push(waiting(id));
  EXPECT_THAT(drain(), ElementsAre("1", "2", "3"));
}

TEST_F(MailboxTest, LetsUrgentEventsOvertake) {
  box_.push(waiting("low", 10));
  box_.push(waiting("usual"));
  box_.push(waiting("high", 1));
  EXPECT_THAT(drain(), ElementsAre("high", "usual", "low"));
}

TEST_F(MailboxTest, AgesSoThatNobodyWaitsNineStepsLonger) {
  box_.push(waiting("old low", 10));
  box_.push(waiting("new high", 1, 8999ms));
  box_.push(waiting("newer high", 1, 9001ms));
  EXPECT_THAT(drain(), ElementsAre("new high", "old low", "newer high"));
}

TEST_F(MailboxTest, GivesReturnedEventsFirstInTheirOldOrder) {
  box_.push(waiting("waiting", 1));
  box_.push_returned(waiting("second", 10));
  box_.push_returned(waiting("first", 10));
  EXPECT_EQ(box_.front_rank(), MonotonicTime::min());
  EXPECT_THAT(drain(), ElementsAre("first", "second", "waiting"));
}

TEST_F(MailboxTest, FindsTheOldestWhateverItsPriority) {
  box_.push(waiting("b", 1, 2s));
  box_.push(waiting("a", 10, 1s));
  EXPECT_EQ(box_.pop_oldest().message.event().envelope.id, "a");
  EXPECT_EQ(box_.pop_oldest().message.event().envelope.id, "b");
}

TEST_F(MailboxTest, LooksPastAReceiversOwnEvents) {
  box_.push(waiting("own 1", 0, {}, 7));
  box_.push(waiting("own 2", 0, {}, 7));
  box_.push(waiting("foreign", 0, {}, 8));
  box_.push(waiting("last", 0, {}, 7));
  EXPECT_EQ(box_.next_for(7)->waiting->message.event().envelope.id, "foreign");
  EXPECT_EQ(box_.next_for(8)->waiting->message.event().envelope.id, "own 1");
  EXPECT_EQ(box_.pop_for(7).message.event().envelope.id, "foreign");
  EXPECT_FALSE(box_.next_for(7).has_value());
  box_.push(waiting("behind", 0, {}, 7));  // the tail must have stayed right
  EXPECT_THAT(drain(), ElementsAre("own 1", "own 2", "last", "behind"));
}

TEST_F(MailboxTest, TakesFromTheEndOfTheListWithoutLosingIt) {
  box_.push(waiting("own", 0, {}, 7));
  box_.push(waiting("foreign", 0, {}, 8));
  EXPECT_EQ(box_.pop_for(7).message.event().envelope.id, "foreign");
  box_.push(waiting("next", 0, {}, 8));
  EXPECT_THAT(drain(), ElementsAre("own", "next"));
}

TEST_F(MailboxTest, BoundsHowFarItLooksPast) {
  for (std::size_t i = 0; i <= Mailbox::kLookPast; ++i) box_.push(waiting("own", 0, {}, 7));
  box_.push(waiting("foreign", 0, {}, 8));
  EXPECT_FALSE(box_.next_for(7).has_value());
  box_.pop_front();
  EXPECT_TRUE(box_.next_for(7).has_value());
}

TEST_F(MailboxTest, GivesUpAllOfOneSender) {
  box_.push(waiting("1", 0, {}, 7)), box_.push(waiting("2", 0, {}, 8)), box_.push(waiting("3", 0, {}, 7));
  box_.push(waiting("4", 1, {}, 7));
  EXPECT_EQ(box_.take_sent_by(7).size(), 3u);
  EXPECT_TRUE(box_.take_sent_by(7).empty());
  box_.push(waiting("5", 0, {}, 9));
  EXPECT_THAT(drain(), ElementsAre("2", "5"));
  EXPECT_TRUE(box_.take_sent_by(7).empty());
}

TEST_F(MailboxTest, MergesAnotherAsIfAllHadComeToOne) {
  Mailbox other;
  box_.push(waiting("1", 0, 1s)), box_.push(waiting("4", 0, 4s)), box_.push(waiting("urgent 3", 1, 3s));
  other.push(waiting("2", 0, 2s)), other.push(waiting("5", 0, 5s)), other.push(waiting("urgent 2", 1, 2s));
  other.push_returned(waiting("returned", 0, 0s));
  const std::size_t all = box_.bytes() + other.bytes();
  box_.merge(std::move(other));
  EXPECT_TRUE(other.empty());
  EXPECT_EQ(other.bytes(), 0u);
  EXPECT_EQ(box_.size(), 7u);
  EXPECT_EQ(box_.bytes(), all);
  box_.push(waiting("6", 0, 6s));  // the tail is right
  EXPECT_THAT(drain(), ElementsAre("returned", "urgent 2", "urgent 3", "1", "2", "4", "5", "6"));
  Mailbox empty;
  box_.merge(std::move(empty));
  EXPECT_TRUE(box_.empty());
  other.push(waiting("last"));
  box_.merge(std::move(other));
  EXPECT_THAT(drain(), ElementsAre("last"));
}

TEST_F(MailboxTest, CountsEventsAndOctetsAndFreesThem) {
  box_.push(waiting("1"));
  const std::size_t one = box_.bytes();
  EXPECT_EQ(budget_.used(), one);
  box_.push(waiting("2"));
  EXPECT_EQ(box_.size(), 2u);
  EXPECT_TRUE(box_.has_room({.capacity = 3, .bytes = 3 * one}, one));
  EXPECT_FALSE(box_.has_room({.capacity = 2, .bytes = 3 * one}, one));
  EXPECT_FALSE(box_.has_room({.capacity = 3, .bytes = 3 * one - 1}, one));
  Mailbox other = std::move(box_);
  EXPECT_EQ(other.size(), 2u);
  EXPECT_TRUE(box_.empty());
  other = Mailbox();
  EXPECT_EQ(budget_.used(), 0u);
}

}  // namespace
}  // namespace tenon::message
