#include "link.hpp"

#include <algorithm>
#include <utility>

namespace tenon::local {

namespace {

constexpr std::uint64_t kIntroduceWithin = 5'000'000'000;
// The number of the PING that ends the introduction; exchanges of the transport count up from 1.
constexpr std::uint64_t kIntroduction = UINT64_MAX;

}  // namespace

Link::Link(sdk::Host host, Flusher& flusher, Fd fd, Limits limits, const std::function<void(std::string&)>& introduce,
           Handlers handlers)
    : host_(host), handlers_(std::move(handlers)) {
  FrameStream::Handlers of_stream;
  of_stream.on_frame = [this](const Frame& frame) { on_frame(frame); };
  of_stream.on_close = [this](const std::string& why) { fail(TENON_ERR_UNAVAILABLE, why); };
  of_stream.on_drained = [this] {
    if (ready_) handlers_.drained();
  };
  stream_ = FrameStream::open(host, flusher, std::move(fd), limits.max_frame, limits.max_buffer, std::move(of_stream));
  introduce_by_ = host.start_timer(kIntroduceWithin, 0, [this] {
    fail(TENON_ERR_TIMEOUT, "the listening host did not answer within 5 s; look whether it hangs");
  });
  stream_->send([&](std::string& out) {
    write_hello(out, FrameType::hello, kProtocolVersion, host.node(), static_cast<std::uint32_t>(limits.max_frame));
    introduce(out);
    write_ping(out, FrameType::ping, kIntroduction);
  });
}

void Link::close() {
  lost_ = true;
  ready_ = false;
  introduce_by_.cancel();
  stream_->close();
}

void Link::fail(tenon_status code, const std::string& why) {
  if (std::exchange(lost_, true)) return;
  close();
  handlers_.lost(code, why);
}

void Link::on_frame(const Frame& frame) {
  if (welcomed_ == (frame.type == FrameType::welcome))
    return fail(TENON_ERR_BAD_DATA, "the listener broke the protocol");
  switch (frame.type) {
    case FrameType::welcome:
      welcomed_ = true;
      max_event_ = frame.amount > kMessageOverhead ? frame.amount - kMessageOverhead : 0;
      return stream_->expect_large_frames();
    case FrameType::deliver:
      for (const std::uint64_t subscription : frame.subscriptions) {
        if (lost_) return;
        handlers_.deliver(subscription, frame.message, frame.text);
      }
      return;
    case FrameType::pong:
      if (frame.number != kIntroduction) return handlers_.answered(frame.number, nullptr, TENON_OK, {});
      introduce_by_.cancel();
      ready_ = true;
      return handlers_.ready();
    case FrameType::answer: return handlers_.answered(frame.number, &frame.message, TENON_OK, {});
    case FrameType::ack:
      return handlers_.answered(frame.number, nullptr, static_cast<tenon_status>(frame.amount), frame.text);
    default: return fail(TENON_ERR_BAD_DATA, "the listener broke the protocol");
  }
}

}  // namespace tenon::local
