// A dispatcher with recorded surroundings, for the tests of dispatcher.hpp.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/message/rig.hpp"

namespace tenon::message::rig {

class DispatcherTest : public testing::Test {
 protected:
  DispatcherTest() { dispatcher_.set_wall_time(kWallStart); }

  // A receiver that is attached to `outlet` and open, named as it is numbered.
  ReceiverId add(FakeOutlet& outlet, DeliveryConfig delivery = {}, MailboxConfig mailbox = {}) {
    const ReceiverId id = dispatcher_.add_receiver({"r" + std::to_string(added_++), mailbox, delivery});
    dispatcher_.attach(id, outlet);
    dispatcher_.set_gate(id, Gate::open, kStart);
    return id;
  }
  void join(ReceiverId id, GroupId group = 0) {
    dispatcher_.join_group(id, group, "g" + std::to_string(group), kStart);
  }
  Verdict deliver(ReceiverId id, std::string_view event_id, Duration at = {}) {
    return dispatcher_.deliver(id, event(event_id), kStart + at);
  }
  Verdict to_group(std::string_view event_id, ReceiverId sender = kNoReceiver, GroupId group = 0, Duration at = {}) {
    return dispatcher_.deliver_to_group(group, event(event_id), sender, kStart + at);
  }
  void give_room(FakeOutlet& outlet, ReceiverId id, std::size_t room, Duration at = {}) {
    outlet.room = room;
    dispatcher_.outlet_has_room(id, kStart + at);
  }

  EventBudget budget_{4 << 20};
  RecordingSink dead_;
  RecordingRoom room_;
  FakeOutlet a_, b_, c_;
  int added_ = 0;
  MessageDispatcher dispatcher_{budget_, dead_, room_};
};

}  // namespace tenon::message::rig
