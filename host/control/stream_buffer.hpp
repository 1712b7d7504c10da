// What a streaming client has not read yet: bounded, so that a slow client loses items and nobody else notices.
//
// The model. A stream is *open*, then *ended* (the source has nothing more, or the asked-for number of items is in),
// then *closed* (the client has gone). Items are framed as they are pushed. An item that finds no room is dropped and
// counted, and the client is told how many before the next item that found room: what it reads is in order, and a gap
// is never silent. Room is the stream's own limit and a budget that all streams share; one item always fits into an
// empty stream, however big it is.
//
// Bytes that were taken for writing still count until they are settled. All [loop].
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "control/host_interface.hpp"

namespace tenon::control {

// How many bytes all streams together hold.
struct StreamBudget {
  std::size_t limit = 64 << 20;
  std::size_t used = 0;
};

enum class StreamFraming : std::uint8_t {
  events,  // server-sent events, `data: ITEM`, an empty line after each
  lines,   // an item a line
};

class StreamBuffer final : public StreamSink {
 public:
  struct Options {
    StreamFraming framing = StreamFraming::events;
    std::size_t limit = 1 << 20;                // bytes, framing included
    std::optional<std::uint64_t> items{};       // the stream ends after so many; none: it does not end by itself
  };

  StreamBuffer(Options options, std::shared_ptr<StreamBudget> budget);
  ~StreamBuffer() override;
  StreamBuffer(const StreamBuffer&) = delete;
  StreamBuffer& operator=(const StreamBuffer&) = delete;

  // Line ends between the item's JSON tokens become spaces: an item is one line in either framing.
  bool push(std::string_view json) override;
  void end() override;

  // Something to show that the connection lives, if nothing else is waiting. Not in a stream of lines.
  void heartbeat();
  // Called, at most once a take(), when there is something to take or the stream has ended.
  void set_wake(std::function<void()> wake);
  // Everything that waits, to be written by the caller, who calls settle() when it is.
  std::string take();
  void settle();
  // The client has gone: what waits is let go, what comes is refused.
  void close();

  bool ended() const noexcept { return ended_; }
  bool empty() const noexcept { return waiting_.empty() && dropped_ == 0; }
  std::size_t held() const noexcept { return held_; }
  std::uint64_t dropped_total() const noexcept { return dropped_total_; }

 private:
  bool fits(std::size_t size) const noexcept;
  void append_item(std::string_view json);
  void append_dropped();
  void account();
  void wake();

  Options options_;
  std::shared_ptr<StreamBudget> budget_;
  std::function<void()> wake_;
  bool woken_ = false;  // wake_ was called and nothing taken since
  bool ended_ = false;
  bool closed_ = false;
  std::string waiting_;
  std::size_t taken_ = 0;  // bytes taken and not settled
  std::size_t held_ = 0;   // what the budget was charged
  std::uint64_t items_ = 0;
  std::uint64_t dropped_ = 0;  // not told yet
  std::uint64_t dropped_total_ = 0;
};

}  // namespace tenon::control
