// What happens to an event between a source and the router: it is checked against what its source may do, and
// completed.
//
// A source may leave out specversion, id, source and time: the host fills them in, in front of what was sent. The topic
// must be a legal subject, outside of system. and tenon., and inside the source's publish list. A refusal says which
// rule and why; the event is unharmed. Completing an event allocates nothing.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/clock.hpp"
#include "common/ids.hpp"
#include "common/rfc3339.hpp"
#include "message/dead_letter.hpp"
#include "message/event.hpp"

namespace tenon::message {

// What one source may publish.
struct SourcePolicy {
  std::string name = {};        // "counter.1", a transport's name, "api"
  std::string source_uri = {};  // the CloudEvents `source` of events that bring none: "//alpha/counter.1"
  std::vector<std::string> publish = {};  // patterns; empty: anything but system. and tenon.
  bool may_publish = true;                // false: nothing at all, whatever `publish` says
  bool is_host = false;    // may publish under system.
  bool foreign = false;  // a transport: brings other hosts' events, whose types may be under system., their topics not
};

struct Refusal {
  DeadLetterReason reason;
  std::string detail;  // a sentence
};

class Intake {
 public:
  Intake() = default;
  explicit Intake(std::uint64_t seed_for_test) : ids_(seed_for_test) {}

  // Times in completed events; set once a turn, so that a batch of events costs one reading of the clock.
  void set_time(WallTime now) noexcept;

  // Checks and completes. The attributes that it adds live in `added` and in this object until the next call: deliver
  // or copy the event before.
  std::optional<Refusal> accept(Event& event, AddedAttributes& added, const SourcePolicy& source);

 private:
  static std::optional<Refusal> check_topic_allowed(std::string_view topic, const SourcePolicy& source);

  UlidGenerator ids_;
  WallTime now_{};
  Rfc3339Text time_text_;
  std::array<char, UlidGenerator::kSize> id_{};
};

}  // namespace tenon::message
