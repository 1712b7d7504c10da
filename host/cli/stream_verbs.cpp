// tail and logs: streams that outlive an engine.
#include <optional>

#include "cli/cli.hpp"
#include "cli/interruption.hpp"
#include "cli/session.hpp"
#include "cli/values.hpp"
#include "cli/views.hpp"
#include "common/encoding.hpp"
#include "common/json_document.hpp"
#include "control/protocol.hpp"

namespace tenon::cli {

namespace {

using Why = StreamEnd::Why;

// What a stream verb says at its end, when it is not to be opened again.
int finish(Session& session, const StreamEnd& end) {
  switch (end.why) {
    case Why::refused: return session.refused(end.reply);
    case Why::failed: return session.fail(*end.error);
    case Why::lost:
      if (end.error) return session.fail(*end.error);
      return session.fail(
          Error(errc::io, "the connection to the host broke and the engine has not come back; look at its log"));
    default: return kDone;
  }
}

void tell_dropped(Session& session, const StreamItem& item, std::string_view what) {
  const auto document = JsonDocument::parse(item.data, "notice");
  const std::string count = document ? member_text(document->root(), "dropped", "some") : "some";
  session.output.complain(count + " " + std::string(what) + " were dropped, because they were not read fast enough");
}

// The pid of the engine that answers; empty when none does.
std::optional<std::int64_t> engine_pid(Session& session) {
  const auto reply = session.client.call({.target = "/v1/info"});
  if (!reply || !reply->ok()) return std::nullopt;
  const auto document = JsonDocument::parse(reply->body, "answer");
  return document ? member_number(document->root(), "engine_pid") : std::nullopt;
}

}  // namespace

int tail_events(Session& session) {
  const Interruption interruption;
  const Attention attention{interruption.fd(), session.output.out()};
  const std::string pattern = percent_encode(session.arguments.names.front());
  std::optional<std::uint64_t> left = session.arguments.count;
  if (left == 0) return kDone;
  bool opened_before = false;
  while (true) {
    std::string target = "/v1/events?topic=" + pattern;
    if (left) target += "&n=" + std::to_string(*left);
    const StreamEnd end = session.client.stream(
        target, attention,
        [&] {
          session.client.recovered();
          if (std::exchange(opened_before, true))
            session.output.complain("connected again; what passed meanwhile was missed");
        },
        [&](const StreamItem& item) {
          if (item.event == control::kDroppedEvent) return tell_dropped(session, item, "events"), true;
          const bool readable = session.output.print(
              session.arguments.json ? item.data + "\n" : render_event(item.data, session.output.style()));
          return readable && !(left && --*left == 0);
        });
    if (end.why != Why::lost || !session.client.pause(attention)) return finish(session, end);
  }
}

namespace {

// Where to go on after the connection broke: behind the last line seen, or at the beginning of a new engine's memory.
struct LogPlace {
  std::optional<std::uint64_t> position;  // of one process; lines of several have none
  std::optional<std::int64_t> engine;
  bool seen = false;  // a line

  std::string target(const Arguments& arguments) const {
    std::string text = "/v1/processes/" + joined_names(arguments) + "/logs?";
    if (position) {
      text += "from=" + std::to_string(*position);
    } else if (seen) {
      text += "lines=0";
    } else {
      text += "lines=" + std::to_string(arguments.count.value_or(control::kDefaultLogLines));
    }
    return arguments.follow ? text + "&follow=1" : text;
  }
  void note(const std::string& json) {
    const auto document = JsonDocument::parse(json, "line", {.max_bytes = 64 << 20});
    const auto found = document ? document->root().find("position") : std::nullopt;
    position = found ? found->as_u64() : std::nullopt;
    seen = true;
  }
};

}  // namespace

int print_logs(Session& session) {
  const Arguments& arguments = session.arguments;
  const Interruption interruption;
  const Attention attention{interruption.fd(), session.output.out()};
  LogPlace place;
  if (arguments.follow) place.engine = engine_pid(session);
  while (true) {
    const StreamEnd end = session.client.stream(
        place.target(arguments), attention, [&] { session.client.recovered(); },
        [&](const StreamItem& item) {
          if (item.event == control::kDroppedEvent) return tell_dropped(session, item, "lines"), true;
          place.note(item.data);
          return session.output.print(arguments.json ? item.data + "\n"
                                                     : render_log_line(item.data, session.output.style()));
        });
    if (end.why != Why::lost || !session.client.pause(attention)) return finish(session, end);
    if (!arguments.follow) continue;
    if (const auto engine = engine_pid(session); engine && engine != place.engine) {
      place.engine = engine;
      if (place.seen) place.position = 0;  // positions count from the new engine's first line
    }
  }
}

}  // namespace tenon::cli
