#include "message/intake.hpp"

#include <algorithm>

#include "message/topic.hpp"

namespace tenon::message {

void Intake::set_time(WallTime now) noexcept {
  now_ = now;
  time_text_ = format_rfc3339(now);
}

std::optional<Refusal> Intake::check_topic_allowed(std::string_view topic, const SourcePolicy& source) {
  if (!is_valid_topic(topic)) {
    return Refusal{DeadLetterReason::bad_topic, check_topic(topic).error().message};
  }
  if (source.is_host) return std::nullopt;
  if (classify(topic) != MessageType::event)
    return Refusal{DeadLetterReason::reserved,
                   "topics under system. and tenon. belong to the host; publish under another name"};
  if (!source.may_publish)
    return Refusal{DeadLetterReason::not_allowed,
                   source.name + " may publish nothing: its publish list is empty; add topic " + std::string(topic) +
                       " there, or leave \"publish\" out to allow all"};
  if (source.publish.empty()) return std::nullopt;
  const bool allowed = std::any_of(source.publish.begin(), source.publish.end(),
                                   [&](const std::string& pattern) { return pattern_matches(pattern, topic); });
  if (allowed) return std::nullopt;
  return Refusal{DeadLetterReason::not_allowed, "topic " + std::string(topic) + " is outside of the publish list of " +
                                                    source.name + "; add it there"};
}

std::optional<Refusal> Intake::accept(Event& event, AddedAttributes& added, const SourcePolicy& source) {
  BaseMessageEnvelope& e = event.envelope;
  if (e.type.empty()) return Refusal{DeadLetterReason::malformed, "the event has no type; every event needs one"};
  const std::size_t most = source.foreign ? kMaxForeignExtensions : kMaxOwnExtensions;
  if (e.extensions.size() > most)
    return Refusal{DeadLetterReason::malformed, "the event has " + std::to_string(e.extensions.size()) +
                                                    " extension attributes; " + std::to_string(most) + " are allowed"};
  if (auto refusal = check_topic_allowed(e.effective_topic(), source)) return refusal;
  // A forged type would be read as the host's word by whoever looks at types rather than topics.
  const MessageType kind = classify(e.type);
  if (!source.is_host && kind != MessageType::event && !(source.foreign && kind == MessageType::system))
    return Refusal{DeadLetterReason::reserved,
                   "types under system. and tenon. belong to the host; choose another type"};

  // It will be the topic of the answer, and is kept until then.
  if (!e.replyto.empty() && !is_valid_topic(e.replyto))
    return Refusal{DeadLetterReason::bad_topic, "replyto: " + check_topic(e.replyto).error().message};
  if (!e.replyto.empty() && classify(e.replyto) != MessageType::event)
    return Refusal{DeadLetterReason::reserved,
                   "replyto: nobody may answer under system. and tenon.; choose another topic"};

  const auto fill = [&](std::string_view& field, std::string_view name, std::string_view value) {
    if (!field.empty()) return;
    field = value;
    added.add(name, value);
  };
  fill(e.specversion, "specversion", "1.0");
  if (e.id.empty()) {
    ids_.write_to(id_.data(), now_);
    fill(e.id, "id", {id_.data(), id_.size()});
  }
  fill(e.source, "source", source.source_uri);
  fill(e.time, "time", time_text_.view());
  event.added = added.view();
  return std::nullopt;
}

}  // namespace tenon::message
