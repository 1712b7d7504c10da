// tail and logs: streams that outlive an engine.
#include <optional>

#include "cli/cli.hpp"
#include "cli/interruption.hpp"
#include "cli/session.hpp"
#include "cli/values.hpp"
#include "cli/views.hpp"
#include "common/encoding.hpp"
#include "common/json_document.hpp"
#include "common/rfc3339.hpp"
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

// Where a log is read on after the connection broke: behind the time of the last line seen, which no two lines share.
class LogPlace {
 public:
  explicit LogPlace(const Arguments& arguments)
      : arguments_(arguments), time_(format_rfc3339(SystemClock().wall(), Rfc3339Precision::nanoseconds).str()) {}

  std::string first() const {
    const std::uint64_t lines = arguments_.count.value_or(control::kDefaultLogLines);
    return path() + "lines=" + std::to_string(lines) + (arguments_.follow ? "&follow=1" : "");
  }
  std::string page() const { return path() + "after=" + percent_encode(time_); }
  std::string rest() const { return page() + "&follow=1"; }
  void note(const std::string& json) {
    const auto document = JsonDocument::parse(json, "line", {.max_bytes = 64 << 20});
    const auto found = document ? document->root().find("time") : std::nullopt;
    if (const auto time = found ? found->as_string() : std::nullopt) time_ = *time;
  }

 private:
  std::string path() const { return "/v1/processes/" + joined_names(arguments_) + "/logs?"; }

  const Arguments& arguments_;
  std::string time_;  // until a line is seen: when it was asked for them
};

}  // namespace

int print_logs(Session& session) {
  const Arguments& arguments = session.arguments;
  const Interruption interruption;
  const Attention attention{interruption.fd(), session.output.out()};
  LogPlace place(arguments);
  bool any = false;  // in this answer
  const auto read = [&](const std::string& target) {
    any = false;
    return session.client.stream(target, attention, [&] { session.client.recovered(); }, [&](const StreamItem& item) {
      any = true;
      if (item.event == control::kDroppedEvent) return tell_dropped(session, item, "lines"), true;
      place.note(item.data);
      return session.output.print(arguments.json ? item.data + "\n"
                                                 : render_log_line(item.data, session.output.style()));
    });
  };
  StreamEnd end = read(place.first());
  while (end.why == Why::lost && session.client.pause(attention)) {
    // What came meanwhile a page at a time, until there is none: all at once it might not fit into a stream.
    do end = read(place.page());
    while (end.why == Why::finished && any);
    if (arguments.follow && end.why == Why::finished) end = read(place.rest());
  }
  return finish(session, end);
}

}  // namespace tenon::cli
