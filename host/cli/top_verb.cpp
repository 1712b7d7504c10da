// top: a live picture of the host on a terminal; elsewhere, snapshots one after the other.
#include <optional>
#include <unistd.h>
#include <utility>

#include "cli/cli.hpp"
#include "cli/session.hpp"
#include "cli/top_view.hpp"
#include "cli/top_watch.hpp"

namespace tenon::cli {

namespace {

constexpr Duration kDefaultInterval = std::chrono::seconds(1);

struct Answer {
  TopSnapshot snapshot;
  std::string processes;  // as the host gave them
};

Result<std::string> fetch(Session& session, const char* target) {
  auto reply = session.client.call({.target = target});
  if (!reply) return std::move(reply).error();
  if (!reply->ok()) return Error(errc::internal, reply->problem(), fault::remote);
  return std::move(reply->body);
}

Result<Answer> fetch_snapshot(Session& session) {
  auto info = fetch(session, "/v1/info");
  if (!info) return std::move(info).error();
  auto processes = fetch(session, "/v1/processes");
  if (!processes) return std::move(processes).error();
  auto snapshot = read_snapshot({.info = *info, .processes = *processes}, SystemClock().monotonic());
  if (!snapshot) return std::move(snapshot).error();
  return Answer{std::move(*snapshot), std::move(*processes)};
}

std::string text_of(const Answer& answer, const TopState& state, const Session& session) {
  if (session.arguments.json) return cpu_json_line(answer.processes, answer.snapshot);
  const TopPicture picture{.snapshot = answer.snapshot, .state = state};
  return print_top(picture, session.output.style());
}

int print_snapshots(Session& session, const TopState& state, Duration interval) {
  std::uint64_t left = session.arguments.count.value_or(1);
  if (left == 0) return kDone;
  auto answer = fetch_snapshot(session);
  if (!answer) return session.fail(answer.error());
  while (true) {
    // What is used is told between two moments; so the first one is not printed.
    const TopSnapshot before = std::move(answer->snapshot);
    const MonotonicTime next = SystemClock().monotonic() + interval;
    if (wait_readable(-1, next, {.output = session.output.out()}) != Wake::timeout) return kDone;
    answer = fetch_snapshot(session);
    if (!answer) return session.fail(answer.error());
    add_rates(answer->snapshot, before);
    const std::string text = text_of(*answer, state, session);
    if (!session.output.print(text) || --left == 0) return kDone;
    if (!session.arguments.json && !session.output.print("\n")) return kDone;
  }
}

}  // namespace

int show_top(Session& session) {
  const Arguments& arguments = session.arguments;
  const TopState state{.sort = arguments.sort.value_or(SortKey::cpu)};
  const Duration interval = arguments.interval.value_or(kDefaultInterval);
  if (arguments.json || arguments.count || ::isatty(session.output.out()) != 1)
    return print_snapshots(session, state, interval);
  auto screen = FullScreen::open(session.output.out());
  if (!screen) return session.fail(screen.error());
  // Before the screen is taken, so that what is wrong is said as by every other verb.
  auto first = fetch_snapshot(session);
  if (!first) return session.fail(first.error());
  TopWatch watch(**screen, {session.client.socket(), interval, session.output.style()}, state,
                 std::move(first->snapshot));
  watch.run();
  return kDone;
}

}  // namespace tenon::cli
