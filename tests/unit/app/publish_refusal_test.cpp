#include "app/publish_refusal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/problem.hpp"

namespace tenon::app {
namespace {

using message::DeadLetterReason;
using message::PublishResult;
using ::testing::AllOf;
using ::testing::HasSubstr;

class PublishRefusal : public ::testing::Test {
 protected:
  void letter(DeadLetterReason reason, const std::string& detail, std::string_view receiver = "slow",
              std::string_view id = "e1") {
    message::Event about = event_;
    about.envelope.id = id;
    store_.add(about, reason, receiver, "api", detail, 0, WallTime{});
  }
  Error refusal(const PublishResult& result, std::uint64_t newer_than = 0) {
    return publish_refusal(result, event_, letters_about(store_, "e1", newer_than));
  }
  // The status that a client gets, for an event that a receiver refused so.
  int status_after(DeadLetterReason reason) {
    const std::uint64_t before = newest_letter(store_);
    letter(reason, "why");
    return control::http_status(refusal({}, before));
  }
  static PublishResult failed(DeadLetterReason reason) { return {.failed = reason}; }

  message::DeadLetterStore store_{100, 1 << 20};
  message::Event event_ = [] {
    message::Event event;
    event.envelope.id = "e1";
    event.envelope.type = "t";
    event.envelope.target = "nobody";
    return event;
  }();
};

TEST_F(PublishRefusal, IsThereOnlyForWhatNobodyHas) {
  EXPECT_FALSE(taken({}));
  EXPECT_FALSE(taken({.blocked = true}));
  EXPECT_FALSE(taken({.receivers = 1, .failed = DeadLetterReason::rejected}));
  EXPECT_TRUE(taken({.receivers = 1, .blocked = true}));
}

TEST_F(PublishRefusal, HasTheStatusOfItsReason) {
  EXPECT_EQ(status_after(DeadLetterReason::too_large), 413);
  EXPECT_EQ(status_after(DeadLetterReason::channel_closed), 409);
  EXPECT_EQ(status_after(DeadLetterReason::receiver_ended), 409);
  EXPECT_EQ(status_after(DeadLetterReason::untranslatable), 422);
  EXPECT_EQ(status_after(DeadLetterReason::mailbox_full), 503);
}

TEST_F(PublishRefusal, SaysWhoRefusedAndWhatToDo) {
  letter(DeadLetterReason::too_large, "the event exceeds max_event; raise it");
  EXPECT_EQ(refusal({}).message, "no receiver took the event, slow: the event exceeds max_event; raise it; it was "
                                 "dead-lettered, `tenon deadletters list` shows it");
}

TEST_F(PublishRefusal, IsForNowIfOneOfTheReceiversMayTakeItLater) {
  letter(DeadLetterReason::mailbox_full, "the mailbox is full");
  letter(DeadLetterReason::too_large, "too large", "small");
  const Error error = refusal({});
  EXPECT_EQ(control::http_status(error), 503);
  EXPECT_TRUE(error.retryable);
  EXPECT_THAT(error.message, HasSubstr("slow: the mailbox is full"));
}

TEST_F(PublishRefusal, TellsAFullMailboxFromTheLimitOfAllEvents) {
  letter(DeadLetterReason::blocked, "full");
  EXPECT_THAT(refusal({.blocked = true}).message, HasSubstr("the mailbox of slow is full"));
  letter(DeadLetterReason::memory_limit, "full");
  const Error limit = refusal({.blocked = true});
  EXPECT_EQ(control::http_status(limit), 503);
  EXPECT_THAT(limit.message, AllOf(HasSubstr("limits.events is reached"), HasSubstr("tenon ps")));
}

TEST_F(PublishRefusal, LooksAtNoLetterOfAnotherOrAnEarlierEvent) {
  letter(DeadLetterReason::too_large, "of an earlier event with this id");
  const std::uint64_t before = newest_letter(store_);
  letter(DeadLetterReason::untranslatable, "of another event", "slow", "e2");
  EXPECT_THAT(refusal({}, before).message, HasSubstr("each refused it"));
}

TEST_F(PublishRefusal, OfAnUnknownTargetIsNotFound) {
  const Error error = refusal(failed(DeadLetterReason::no_such_target));
  EXPECT_EQ(control::http_status(error), 404);
  EXPECT_EQ(error.message, "there is no process nobody; `tenon ps` lists them");
}

TEST_F(PublishRefusal, WithoutASubscriptionNamesTheSubscriberThatHasEnded) {
  EXPECT_THAT(refusal(failed(DeadLetterReason::no_receiver)).message, HasSubstr("no subscription matches topic t"));
  letter(DeadLetterReason::no_receiver, "slow has ended; start it");
  const Error error = refusal(failed(DeadLetterReason::no_receiver));
  EXPECT_EQ(control::http_status(error), 404);
  EXPECT_EQ(error.message, "slow has ended; start it");
}

TEST_F(PublishRefusal, OfOneRequestTooManyIsForNow) {
  letter(DeadLetterReason::request_limit, "50,000 requests from outside wait for an answer already", "");
  const Error error = refusal(failed(DeadLetterReason::request_limit));
  EXPECT_EQ(control::http_status(error), 503);
  EXPECT_THAT(error.message, AllOf(HasSubstr("50,000 requests from outside"), HasSubstr("try again later")));
  EXPECT_EQ(control::http_status(refusal(failed(DeadLetterReason::duplicate_request))), 409);
}

TEST_F(PublishRefusal, OfWhatCameTooLateSaysSo) {
  letter(DeadLetterReason::late_reply, "the request was answered already", "");
  const Error error = refusal(failed(DeadLetterReason::late_reply));
  EXPECT_EQ(control::http_status(error), 400);
  EXPECT_EQ(error.message, "not delivered, late_reply: the request was answered already");
}

}  // namespace
}  // namespace tenon::app
