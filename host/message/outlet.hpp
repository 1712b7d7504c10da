// Where a receiver's events leave the router: a worker's channel, a transport, a stream of the control API, a handler.
//
// The model. The dispatcher offers an event; the outlet encodes it into its output and says where in its stream of
// octets the event ends. It writes when it can and tells the dispatcher how far it got
// (MessageDispatcher::written_up_to) and that it has room again (outlet_has_room). It never blocks and never keeps a
// reference to the event.
#pragma once

#include <cstdint>
#include <string_view>

#include "message/event.hpp"

namespace tenon::message {

enum class OfferResult : std::uint8_t {
  taken,
  full,            // no room now; outlet_has_room follows
  closed,          // the receiver's end is closed for good
  untranslatable,  // the receiver's format cannot express it
  too_large,       // more than one event may take on this channel
};

struct Offer {
  OfferResult result;
  std::uint64_t end = 0;         // with `taken`: position behind the event in the outlet's stream of octets
  std::string_view detail = {};  // with a refusal: why, valid until the next offer
};

class Outlet {
 public:
  virtual ~Outlet() = default;
  // `attempt` counts from 1; above 1 the event is marked `redelivered`.
  virtual Offer offer(const Event& event, std::uint32_t attempt) = 0;
};

}  // namespace tenon::message
