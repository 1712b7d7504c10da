// What the tests of host/message share: events that own their texts, an outlet that remembers, sinks that record.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "message/dispatcher.hpp"
#include "message/router.hpp"

namespace tenon::message::rig {

using namespace std::chrono_literals;

inline constexpr MonotonicTime kStart{std::chrono::hours(1)};
inline constexpr WallTime kWallStart{std::chrono::seconds(1'700'000'000)};

// An event from texts that live as long as the program: tests are short.
struct Fields {
  std::string_view id = "1", topic = "t", target = {}, replyto = {}, correlationid = {}, expirytime = {}, data = {};
  std::uint8_t priority = 0;
};
inline Event event(const Fields& f) {
  static std::deque<std::string> texts;
  const auto keep = [](std::string_view text) -> std::string_view {
    return text.empty() ? std::string_view() : std::string_view(texts.emplace_back(text));
  };
  Event event;
  event.envelope.specversion = "1.0";
  event.envelope.id = keep(f.id);
  event.envelope.source = "//test";
  event.envelope.type = keep(f.topic);
  event.envelope.target = keep(f.target);
  event.envelope.replyto = keep(f.replyto);
  event.envelope.correlationid = keep(f.correlationid);
  event.envelope.expirytime = keep(f.expirytime);
  event.envelope.data = keep(f.data);
  event.envelope.priority = f.priority;
  return event;
}
inline Event event(std::string_view id, std::string_view topic = "t") {
  return event(Fields{.id = id, .topic = topic});
}

// Takes as many events as it has room for; every event is ten octets long.
class FakeOutlet final : public Outlet {
 public:
  Offer offer(const Event& e, std::uint32_t attempt) override {
    if (refuse != OfferResult::taken) return {refuse, 0, "as told"};
    if (room == 0) return {OfferResult::full};
    --room;
    ids.emplace_back(e.envelope.id);
    attempts.push_back(attempt);
    correlations.emplace_back(e.envelope.correlationid);
    return {OfferResult::taken, position += 10};
  }
  std::size_t room = 1'000'000;
  OfferResult refuse = OfferResult::taken;
  std::uint64_t position = 0;
  std::vector<std::string> ids, correlations;
  std::vector<std::uint32_t> attempts;
};

// "reason id receiver" of each dead letter.
class RecordingSink final : public DeadLetterSink {
 public:
  void dead_letter(const Event& e, DeadLetterReason reason, std::string_view receiver, std::string_view detail,
                   const Attempts& attempts) override {
    letters.push_back(std::string(to_string(reason)) + " " + std::string(e.envelope.id) + " " + std::string(receiver));
    details.emplace_back(detail);
    last_attempts = attempts.count;
    last_history.assign(attempts.history.begin(), attempts.history.end());
    ++by_id[std::string(e.envelope.id)];
  }
  std::vector<std::string> letters, details;
  std::uint32_t last_attempts = 0;
  DeliveryHistory last_history;
  std::map<std::string, int> by_id;
};

class RecordingRoom final : public DispatcherEvents {
 public:
  void queue_has_room(FullQueue queue) override { told.push_back(queue); }
  std::vector<FullQueue> told;
};

class RecordingRouterEvents final : public RouterEvents {
 public:
  void answer_for(std::uint64_t token, const Event& answer) override {
    answers.push_back(std::to_string(token) + " " + std::string(answer.envelope.id) + " " +
                      std::string(answer.envelope.correlationid));
  }
  void request_timed_out(const PendingRequest& request) override { timeouts.push_back(request.id); }
  void sender_released(ReceiverId sender) override { released.push_back(sender); }
  void event_limit_reached(bool reached) override { limit.push_back(reached); }
  std::vector<std::string> answers, timeouts;
  std::vector<ReceiverId> released;
  std::vector<bool> limit;
};

// "reason id receiver" of each refusal that a sender was told of.
class RecordingRefusals final : public PublisherEvents {
 public:
  void event_refused(const Event& e, DeadLetterReason reason, std::string_view receiver,
                     std::string_view detail) override {
    told.push_back(std::string(to_string(reason)) + " " + std::string(e.envelope.id) + " " + std::string(receiver));
    details.emplace_back(detail);
  }
  std::vector<std::string> told, details;
};

inline DeliveryConfig at_least_once(std::uint32_t in_flight = 16, std::uint32_t attempts = 5) {
  return {DeliveryMode::at_least_once, in_flight, 30s, attempts};
}

}  // namespace tenon::message::rig
