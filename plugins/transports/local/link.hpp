// The connecting side: one connection to the host that listens.
//
// The model. introducing → ready → lost, once. When created it says HELLO, all subscriptions and a PING; the PONG makes
// it ready, so that all subscriptions are in force by then. Lost (also: no PONG within 5 s) it calls `lost` once and is
// of no further use. Loop thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <tenon/sdk/host.hpp>

#include "frame_stream.hpp"
#include "hub.hpp"

namespace tenon::local {

class Link {
 public:
  struct Handlers {
    std::function<void()> ready;
    std::function<void(tenon_status code, const std::string& why)> lost;
    std::function<void(std::uint64_t subscription, const Message&, std::string_view reply)> deliver;
    // What a number other than 0 was answered with: an event (ANSWER), or a status (ACK, PONG).
    std::function<void(std::uint64_t exchange, const Message* answer, tenon_status status, std::string_view why)>
        answered;
    std::function<void()> drained;  // there is room again after a refusal, or nothing waits any more
  };

  // `introduce` appends the SUBSCRIBE frames, with number 0.
  Link(sdk::Host host, Flusher& flusher, Fd fd, Limits limits, const std::function<void(std::string&)>& introduce,
       Handlers handlers);
  ~Link() { close(); }
  // Afterwards nothing is called any more, but the object must live until the calls under way have returned.
  void close();

  bool is_ready() const noexcept { return ready_; }
  // Appends what `write` appends; false: no room.
  template <class Write>
  bool send(Write&& write) {
    return stream_->send(std::forward<Write>(write));
  }
  // Largest event that the listener accepts.
  std::size_t max_event() const noexcept { return max_event_; }
  std::size_t buffered() const noexcept { return stream_->buffered(); }

 private:
  void on_frame(const Frame& frame);
  void fail(tenon_status code, const std::string& why);

  sdk::Host host_;
  Handlers handlers_;
  std::shared_ptr<FrameStream> stream_;
  sdk::Timer introduce_by_;
  bool welcomed_ = false, ready_ = false, lost_ = false;
  std::size_t max_event_ = 0;
};

}  // namespace tenon::local
