// One connected unix socket that carries frames, in both directions, without ever blocking.
//
// The model. open → closed, once. What is sent is appended to a bounded buffer and written at the end of the loop's
// turn, or at once when 64 KiB have gathered, so that a burst of frames costs one system call. A frame that does not
// fit is refused and the buffer stays as it was; an empty buffer takes any one frame. What is received grows with the
// octets that really came, never with a size that somebody claimed. A malformed frame, a read or write error or the end
// of the stream closes: `on_close` runs once, with a reason; after close() by the owner nothing runs any more.
//
// All on the loop thread. Held by shared_ptr, because a handler may drop the owner's reference while frames are read.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <tenon/sdk/host.hpp>
#include <vector>

#include "fd.hpp"
#include "protocol.hpp"

namespace tenon::local {

class FrameStream;

// Writes what the streams of one instance gathered during a turn of the loop. Outlives its streams.
class Flusher {
 public:
  explicit Flusher(sdk::Host host) : host_(host) {}
  Flusher(const Flusher&) = delete;
  Flusher& operator=(const Flusher&) = delete;
  // Flushes the stream at the end of this turn; now, if the host has no room for the callback.
  void schedule(const std::shared_ptr<FrameStream>& stream);

 private:
  static void run(void* self) noexcept;
  sdk::Host host_;
  std::vector<std::weak_ptr<FrameStream>> waiting_;
};

class FrameStream : public std::enable_shared_from_this<FrameStream> {
 public:
  struct Handlers {
    std::function<void(const Frame&)> on_frame;
    std::function<void(const std::string& why)> on_close;
    std::function<void()> on_drained;  // the buffer fell below half its limit after a refusal, or became empty
  };

  // `max_frame`: largest frame accepted once expect_large_frames() was called, kFirstFrameMax before.
  // `max_buffered`: limit of the output buffer. All in octets.
  static std::shared_ptr<FrameStream> open(sdk::Host host, Flusher& flusher, Fd fd, std::size_t max_frame,
                                           std::size_t max_buffered, Handlers handlers);

  void expect_large_frames() noexcept { large_frames_ = true; }
  // Appends what `write` (a call of protocol.hpp) appends. False: no room, or closed.
  template <class Write>
  bool send(Write&& write) {
    if (!fd_) return false;
    const std::size_t before = out_.size();
    write(out_);
    return accept_appended(before);
  }
  void flush();
  void close();
  bool is_open() const noexcept { return static_cast<bool>(fd_); }
  std::size_t buffered() const noexcept { return out_.size() - out_head_; }

 private:
  FrameStream(sdk::Host host, Flusher& flusher, Fd fd, std::size_t max_frame, std::size_t max_buffered,
              Handlers handlers);
  bool accept_appended(std::size_t before);
  void on_ready(std::uint32_t ready);
  void read_some();
  bool take_frames();
  void fail(const std::string& why);
  void watch_for(std::uint32_t interest);

  sdk::Host host_;
  Flusher& flusher_;
  Fd fd_;
  sdk::FdWatch watch_;
  std::uint32_t interest_ = TENON_FD_READ;
  std::size_t max_frame_, max_buffered_;
  Handlers handlers_;
  bool large_frames_ = false, flush_scheduled_ = false, refused_ = false;
  std::vector<std::uint8_t> in_;
  std::size_t in_head_ = 0;
  std::string out_;
  std::size_t out_head_ = 0;
  Frame frame_;  // reused, so that a delivery allocates nothing
};

}  // namespace tenon::local
