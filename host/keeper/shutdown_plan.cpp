#include "keeper/shutdown_plan.hpp"

#include <algorithm>
#include <csignal>

namespace tenon::keeper {

ShutdownPlan::ShutdownPlan(std::vector<Member> members) {
  for (auto& member : members) members_.push_back({std::move(member), Phase::waiting, {}});
  std::stable_sort(members_.begin(), members_.end(),
                   [](const Entry& a, const Entry& b) { return a.member.stop.rank > b.member.stop.rank; });
}

void ShutdownPlan::kill(Entry& entry, MonotonicTime now, std::vector<Action>& actions) {
  actions.push_back({entry.member.pid, SIGKILL});
  entry.phase = Phase::killed;
  entry.deadline = now + kKillPatience;
}

void ShutdownPlan::begin_wave(MonotonicTime now, std::vector<Action>& actions) {
  if (members_.empty() || members_.front().phase != Phase::waiting) return;
  const std::uint32_t rank = members_.front().member.stop.rank;
  for (auto& entry : members_) {
    if (entry.member.stop.rank != rank) break;
    if (entry.member.stop.grace <= Duration::zero()) {
      kill(entry, now, actions);
      continue;
    }
    actions.push_back({entry.member.pid, entry.member.stop.signal_number});
    entry.phase = Phase::asked;
    entry.deadline = now + entry.member.stop.grace;
  }
}

std::vector<ShutdownPlan::Action> ShutdownPlan::advance(MonotonicTime now) {
  std::vector<Action> actions;
  if (kill_all_) {
    for (auto& entry : members_) {
      if (entry.phase != Phase::killed) kill(entry, now, actions);
    }
  }
  for (auto& entry : members_) {
    if (entry.phase == Phase::asked && now >= entry.deadline) kill(entry, now, actions);
  }
  given_up_ += std::erase_if(members_, [&](const Entry& entry) {
    return entry.phase == Phase::killed && now >= entry.deadline;
  });
  begin_wave(now, actions);
  return actions;
}

void ShutdownPlan::note_exit(pid_t pid) {
  std::erase_if(members_, [pid](const Entry& entry) { return entry.member.pid == pid; });
}

void ShutdownPlan::note_successor(pid_t before, pid_t pid) {
  for (Entry& entry : members_)
    if (entry.member.pid == before) entry.member.pid = pid;
}

std::optional<MonotonicTime> ShutdownPlan::next_deadline() const {
  std::optional<MonotonicTime> next;
  for (const auto& entry : members_) {
    if (entry.phase != Phase::waiting && (!next || entry.deadline < *next)) next = entry.deadline;
  }
  return next;
}

}  // namespace tenon::keeper
