// A router with recorded surroundings, for the tests of router.hpp.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/message/rig.hpp"

namespace tenon::message::rig {

class RouterTest : public testing::Test {
 protected:
  RouterTest() { router_.set_wall_time(kWallStart); }

  ReceiverId add(FakeOutlet& outlet, std::string name, MailboxConfig mailbox = {}, DeliveryConfig delivery = {}) {
    const ReceiverId id = router_.dispatcher().add_receiver({std::move(name), mailbox, delivery});
    router_.dispatcher().attach(id, outlet);
    router_.dispatcher().set_gate(id, Gate::open, kStart);
    return id;
  }
  void subscribe(ReceiverId id, std::string_view pattern, std::string_view group = {}) {
    const Status subscribed = router_.subscribe(id, pattern, group);
    ASSERT_TRUE(subscribed.ok()) << subscribed.error().message;
  }
  void close(ReceiverId id) { router_.dispatcher().set_gate(id, Gate::waiting, kStart); }
  void open(ReceiverId id, Duration at = {}) { router_.dispatcher().set_gate(id, Gate::open, kStart + at); }
  PublishResult publish(const Event& e, const Publisher& publisher = {.name = "api"}, Duration at = {}) {
    return router_.publish(e, publisher, kStart + at);
  }
  static Publisher worker(ReceiverId id) { return {.name = "worker", .self = id, .can_wait = true}; }
  // The same, and told of refusals.
  Publisher telling(ReceiverId id) {
    Publisher publisher = worker(id);
    publisher.events = &refusals_;
    return publisher;
  }
  void pass(Duration at) { router_.on_time(kStart + at, kWallStart + at); }

  EventBudget budget_{1 << 20};
  RecordingSink dead_;
  RecordingRouterEvents events_;
  RecordingRefusals refusals_;
  FakeOutlet a_, b_, c_;
  MessageRouter router_{budget_, dead_, events_};
};

inline constexpr MailboxConfig kOneThenBlock{.capacity = 1, .overflow = Overflow::block};
inline constexpr MailboxConfig kOneThenReject{.capacity = 1, .overflow = Overflow::reject};

}  // namespace tenon::message::rig
