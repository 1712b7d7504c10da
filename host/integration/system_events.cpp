#include "integration/system_events.hpp"

#include <utility>

#include "common/rfc3339.hpp"

namespace tenon::integration {

SystemEvents::SystemEvents(event::Loop& loop, message::MessageRouter& router, std::string source)
    : loop_(loop), router_(router), source_(std::move(source)) {}

void SystemEvents::publish(std::string_view type, std::string_view subject, const BuildJson& build) {
  // A snapshot of the match, before anything else touches the table's cache.
  const message::Matches* matches = held_ ? nullptr : router_.table().match(type);
  if (!held_ && (matches == nullptr || matches->empty())) return;
  if (queue_.size() >= kMaxQueued || queued_bytes_ >= kMaxQueuedBytes) {
    ++dropped_;
    return;
  }
  const WallTime now = loop_.clock().wall();
  std::string data = build();
  queued_bytes_ += data.size();
  queue_.push_back(HostEvent(std::string(type), source_));
  queue_.back().id(ids_.next(now)).time(format_rfc3339(now).str()).subject(std::string(subject)).json(std::move(data));
  if (held_ || flush_posted_) return;
  post_flush();
}

void SystemEvents::release() {
  if (!std::exchange(held_, false) || queue_.empty()) return;
  post_flush();
}

void SystemEvents::post_flush() {
  flush_posted_ = true;
  loop_.post([this, alive = std::weak_ptr<int>(alive_)] {
    if (!alive.expired()) flush();
  });
}

void SystemEvents::flush() {
  flush_posted_ = false;
  // Only what is there now: an event whose delivery makes another (a dead letter) must not keep the loop here.
  for (std::size_t left = queue_.size(); left != 0; --left) {
    const HostEvent event = std::move(queue_.front());
    queue_.pop_front();
    queued_bytes_ -= event.event().envelope.data.size();
    ++published_;
    router_.publish(event.event(), message::Publisher{.name = "host"}, loop_.clock().monotonic());
  }
}

}  // namespace tenon::integration
