// A router with receivers that write down what they get.
#pragma once

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

#include "event/fake_loop.hpp"
#include "fake_serializer.hpp"
#include "message/router.hpp"

namespace tenon::integration {

class RecordingOutlet final : public message::Outlet {
 public:
  struct Got {
    std::string type, subject, data, id, time, source;
  };
  std::vector<Got> got;
  message::Offer offer(const message::Event& event, std::uint32_t) override {
    const message::BaseMessageEnvelope& e = event.envelope;
    got.push_back({std::string(e.type), std::string(e.subject), std::string(e.data), std::string(e.id),
                   std::string(e.time), std::string(e.source)});
    return {message::OfferResult::taken, got.size()};
  }
};

class RouterTest : public ::testing::Test, protected message::RouterEvents {
 protected:
  class Sink final : public message::DeadLetterSink {
   public:
    message::DeadLetterSink* next = nullptr;
    void dead_letter(const message::Event& event, message::DeadLetterReason reason, std::string_view receiver,
                     std::string_view detail, const message::Attempts& attempts) override {
      if (next != nullptr) next->dead_letter(event, reason, receiver, detail, attempts);
    }
  };

  void subscribe(RecordingOutlet& outlet, std::string_view pattern, message::MailboxConfig mailbox = {}) {
    const message::ReceiverId id = router.dispatcher().add_receiver({"receiver", mailbox, {}});
    ASSERT_TRUE(router.subscribe(id, pattern).ok());
    router.dispatcher().attach(id, outlet);
    router.dispatcher().set_gate(id, message::Gate::open, loop.clock().monotonic());
  }
  void answer_for(std::uint64_t, const message::Event&) override {}
  void request_timed_out(const message::PendingRequest&) override {}
  void sender_released(message::ReceiverId) override {}
  void event_limit_reached(bool) override {}

  event::FakeLoop loop;
  message::EventBudget budget{64u * 1024 * 1024};
  Sink sink;
  message::MessageRouter router{budget, sink, *this};
};

}  // namespace tenon::integration
