// Publishes the host's own events: system.process.ready, system.dead_letter, …
//
// Events are queued and published in a turn of their own, in order, because what reports them is often deep inside the router.
// The queue is bounded; what does not fit is counted. `build` runs only if somebody subscribes to the type, so an event that
// nobody wants costs a lookup.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include "common/ids.hpp"
#include "event/loop.hpp"
#include "integration/host_event.hpp"
#include "message/router.hpp"

namespace tenon::integration {

class SystemEvents {
 public:
  static constexpr std::size_t kMaxQueued = 10'000;
  static constexpr std::size_t kMaxQueuedBytes = 16 * 1024 * 1024;
  using BuildJson = std::function<std::string()>;

  // `source`: the CloudEvents source of the host, "//alpha". All must outlive this.
  SystemEvents(event::Loop& loop, message::MessageRouter& router, std::string source);

  // Between the two, events wait for those who will subscribe: a start, or an engine that takes over, tells of plugins
  // before there is anybody to tell.
  void hold() noexcept { held_ = true; }
  void release();

  // [loop] `type` is the topic as well. `build` is called within this call, or not at all.
  void publish(std::string_view type, std::string_view subject, const BuildJson& build);

  std::uint64_t published() const noexcept { return published_; }
  std::uint64_t dropped() const noexcept { return dropped_; }
  const std::string& source() const noexcept { return source_; }

 private:
  void post_flush();
  void flush();

  event::Loop& loop_;
  message::MessageRouter& router_;
  std::string source_;
  UlidGenerator ids_;
  std::deque<HostEvent> queue_;
  std::size_t queued_bytes_ = 0;  // of their data
  bool flush_posted_ = false, held_ = false;
  std::uint64_t published_ = 0, dropped_ = 0;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace tenon::integration
