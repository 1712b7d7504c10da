#include "cli/top_watch.hpp"

#include <algorithm>
#include <csignal>
#include <poll.h>
#include <utility>

#include "cli/top_view.hpp"
#include "common/units.hpp"

namespace tenon::cli {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kRetry = milliseconds(500);      // after a failure, if the interval is not shorter
constexpr Duration kPatience = seconds(2);          // before a slow answer is told
constexpr Duration kTick = seconds(1);              // while the age of the picture is told
constexpr Duration kLeastSpan = milliseconds(500);  // between two moments; processor time is told in steps of 10 ms
constexpr int kRest = 9;                            // times as long as a poll took, before the next
constexpr Duration kLongestRest = seconds(10);

std::string failure_text(const Error& error, const std::string& socket) {
  if (error.code == errc::unavailable && !error.retryable)
    return "the host is not running; waiting for it on " + socket;
  std::string text = error.message;
  while (text.ends_with('.')) text.pop_back();
  return text + "; waiting";
}

}  // namespace

TopWatch::TopWatch(FullScreen& screen, Settings settings, const TopState& state, TopSnapshot first)
    : screen_(screen),
      settings_(std::move(settings)),
      state_(state),
      snapshot_(std::move(first)),
      base_(snapshot_),
      poll_(settings_.socket),
      signals_({SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGCONT, SIGWINCH}) {
  // So that there are rates to show soon.
  next_poll_ = snapshot_.taken + std::min(settings_.interval, kLeastSpan);
}

void TopWatch::run() {
  screen_.enter();
  draw(SystemClock().monotonic());
  while (!done_) wait();
  screen_.leave();
}

MonotonicTime TopWatch::next_event(MonotonicTime now) const {
  MonotonicTime next = poll_.active() ? poll_.deadline() : next_poll_;
  if (keys_.pending()) next = std::min(next, last_key_ + KeyReader::kEscapePause);
  if (!failure_.empty()) next = std::min(next, now + kTick);
  if (poll_.active()) next = std::min(next, std::max(poll_.begun() + kPatience, now + kTick));
  return next;
}

void TopWatch::wait() {
  const MonotonicTime before = SystemClock().monotonic();
  const Duration left = std::max<Duration>(next_event(before) - before, Duration(0));
  const auto whole = std::chrono::floor<seconds>(left);
  const timespec limit{.tv_sec = whole.count(), .tv_nsec = (left - whole).count()};
  const short writing = screen_.writing() ? POLLOUT : 0;
  pollfd set[] = {{screen_.fd(), static_cast<short>(POLLIN | writing), 0},
                  {signals_.fd(), POLLIN, 0},
                  {poll_.fd(), POLLIN, 0}};
  if (::ppoll(set, std::size(set), &limit, nullptr) < 0) return;

  while (const auto number = signals_.take()) obey(*number);
  const MonotonicTime now = SystemClock().monotonic();
  if ((set[0].revents & POLLOUT) != 0) screen_.writable();
  if ((set[0].revents & ~POLLOUT) != 0) read_keys(now);
  else if (keys_.pending() && now >= last_key_ + KeyReader::kEscapePause) press_all(keys_.settle());
  if (poll_.active() && (set[2].revents != 0 || now >= poll_.deadline())) {
    if (auto answer = poll_.advance(now)) poll_ended(std::move(*answer), now);
  } else if (!poll_.active() && now >= next_poll_) {
    refresh(now);
  }
  if (!done_ && !screen_.writing() && (changed_ || !trouble(now).empty())) draw(now);
}

void TopWatch::obey(int signal_number) {
  switch (signal_number) {
    case SIGTSTP: screen_.suspend(); break;
    case SIGCONT: screen_.enter(); break;  // who stopped us may have changed the terminal
    case SIGWINCH: screen_.forget(); break;
    default: done_ = true;
  }
  changed_ = true;
}

void TopWatch::read_keys(MonotonicTime now) {
  const FullScreen::Input input = screen_.read();
  last_key_ = now;
  if (input.ended) done_ = true;
  press_all(keys_.feed(input.bytes));
}

void TopWatch::press_all(const std::vector<Key>& keys) {
  for (const Key& key : keys) {
    const TopExtent extent{arrange(snapshot_, state_).size(), top_room(screen_.size())};
    Pressed pressed = press(std::move(state_), key, extent);
    state_ = std::move(pressed.state);
    changed_ = true;
    switch (pressed.action) {
      case TopAction::none: break;
      case TopAction::quit: done_ = true; return;
      case TopAction::redraw: screen_.forget(); break;
      case TopAction::refresh:
        // What is under way may have been asked for something else.
        if (poll_.active()) again_ = true;
        else refresh(SystemClock().monotonic());
    }
  }
}

void TopWatch::refresh(MonotonicTime now) {
  again_ = false;
  std::vector<std::string> targets{"/v1/info", "/v1/processes"};
  if (state_.tree) targets.emplace_back("/v1/tree");
  if (Status begun = poll_.begin(std::move(targets), now); !begun) poll_ended(std::move(begun).error(), now);
}

void TopWatch::poll_ended(Result<HostPoll::Bodies> answer, MonotonicTime now) {
  changed_ = true;
  // The quicker of the last two: a host that was held up once is not slow.
  const Duration took = now - poll_.begun();
  const Duration usual = std::min(took, std::exchange(last_took_, took));
  next_poll_ = std::max(poll_.begun() + settings_.interval, now + std::min(kRest * usual, kLongestRest));
  Result<TopSnapshot> snapshot = !answer ? Result<TopSnapshot>(std::move(answer).error()) : [&] {
    TopDocuments documents{.info = std::move((*answer)[0]), .processes = std::move((*answer)[1])};
    if (answer->size() > 2) documents.tree = std::move((*answer)[2]);
    return read_snapshot(documents, now);
  }();
  if (!snapshot) {
    failure_ = failure_text(snapshot.error(), settings_.socket);
    next_poll_ = now + std::min(settings_.interval, kRetry);
    return;
  }
  failure_.clear();
  add_rates(*snapshot, base_);
  if (snapshot->taken - base_.taken >= kLeastSpan) base_ = *snapshot;
  snapshot_ = std::move(*snapshot);
  if (again_) refresh(now);
}

std::string TopWatch::trouble(MonotonicTime now) const {
  if (!failure_.empty()) return failure_;
  if (!poll_.active() || now < poll_.begun() + kPatience) return {};
  return "the host does not answer; waiting";
}

void TopWatch::draw(MonotonicTime now) {
  const TopPicture picture{.snapshot = snapshot_,
                           .state = state_,
                           .interval = settings_.interval,
                           .now = now,
                           .trouble = trouble(now)};
  screen_.show(draw_top(picture, screen_.size(), settings_.style));
  changed_ = false;
}

}  // namespace tenon::cli
