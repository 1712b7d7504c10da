#include "keeper/crash_blame.hpp"

#include <algorithm>
#include <csignal>

namespace tenon::keeper {
namespace {

constexpr std::size_t kLoopLane = 0;

// What no program does to itself: these come from outside.
bool is_sent_by_others(int signal_number) {
  return signal_number == SIGKILL || signal_number == SIGTERM || signal_number == SIGINT || signal_number == SIGHUP ||
         signal_number == SIGQUIT;
}

template <class Which>
Blame only(const CrashTrail& trail, Which which) {
  Blame blame;
  std::copy_if(trail.calls.begin(), trail.calls.end(), std::back_inserter(blame.suspects), which);
  blame.certain = blame.suspects.size() == 1;
  return blame;
}

}  // namespace

Blame blame_for(const CrashTrail& trail, const ExitStatus& exit, bool hung) {
  if (hung) return only(trail, [](const Breadcrumb& call) { return call.lane == kLoopLane; });
  if (trail.from_outside || (exit.signaled() && is_sent_by_others(exit.signal))) return {};
  if (trail.crashed_thread)
    return only(trail, [&](const Breadcrumb& call) { return call.thread == *trail.crashed_thread; });
  return only(trail, [](const Breadcrumb&) { return true; });
}

}  // namespace tenon::keeper
