#include "support/chaos_model.hpp"

#include <algorithm>

namespace tenon::test_support {

namespace {

using Wish = ChaosModel::Wish;

std::optional<Wish> wish_of(const std::string& desired) {
  if (desired == "up") return Wish::up;
  if (desired == "down") return Wish::down;
  if (desired == "paused") return Wish::paused;
  return std::nullopt;
}

bool is_probe(const FoundProcess& process, const std::vector<std::string>& probes) {
  return std::any_of(probes.begin(), probes.end(), [&](const std::string& probe) {
    return process.command.find(probe) != std::string::npos;
  });
}

std::string describe(const ToldProcess& told) {
  return told.status + ", wanted " + told.desired + ", pid " + std::to_string(told.pid) + ", " +
         std::to_string(told.restarts) + " restarts, " + told.reason;
}

}  // namespace

void ChaosModel::add(const std::string& id, const std::string& unit, std::vector<std::string> taken_along,
                     std::size_t consists_of) {
  Process process;
  process.unit = unit;
  process.taken_along = std::move(taken_along);
  process.consists_of = consists_of;
  processes_[id] = std::move(process);
}

void ChaosModel::remove(const std::string& id) { processes_.erase(id); }

std::vector<std::string> ChaosModel::ids() const {
  std::vector<std::string> ids;
  for (const auto& [id, process] : processes_) ids.push_back(id);
  return ids;
}

void ChaosModel::kill(const std::string& id, pid_t pid) {
  Process& killed = processes_.at(id);
  killed.killed.insert(pid);
  ++killed.kills;
  for (const std::string& each : killed.taken_along) processes_.at(each).touched = true;
}

void ChaosModel::ask(const std::string& id, Wish wish, bool sure) {
  Process& process = processes_.at(id);
  process.touched = process.asked = true;
  process.asked_for.insert(wish);
  // Of all replicas, what comes at the same time may not have been one yet.
  const bool was_there = !process.before.desired.empty();
  process.sure = process.sure || (sure && was_there);
}

void ChaosModel::configure(const std::string& id, const std::string& mode) {
  Process& process = processes_.at(id);
  process.touched = process.asked = true;
  process.mode = mode;
}

// It brings what an earlier one did not.
void ChaosModel::reload() {
  reloaded_ = true;
  for (auto& [id, process] : processes_)
    if (process.before.outdated) process.touched = process.asked = true;
}

std::set<Wish> ChaosModel::allowed(const Process& process) const {
  std::set<Wish> wishes = process.asked_for;
  if (!process.sure) wishes.insert(process.wishes.begin(), process.wishes.end());
  return wishes;
}

std::string ChaosModel::mismatch(const std::map<std::string, ToldProcess>& told, const std::vector<FoundProcess>& found,
                                 const std::vector<std::string>& probes) const {
  for (const auto& [id, one] : told)
    if (!processes_.contains(id)) return id + " is not in the config (" + describe(one) + ")";
  for (const auto& [id, process] : processes_) {
    const auto at = told.find(id);
    if (at == told.end()) return id + " is missing";
    std::string wrong = of_one(process, at->second);
    if (wrong.empty() && at->second.status == "initializing" && at->second.pid == 0 && !may_wait(at->second, told))
      wrong = "it waits for nobody who is away";
    if (wrong.empty()) wrong = of_untouched(process, at->second);
    if (!wrong.empty()) return id + ": " + wrong + " (" + describe(at->second) + ")";
  }
  const std::string wrong = of_what_runs(told, found, probes);
  return wrong.empty() ? of_kills(told) : wrong;
}

// Wanted as it may be, and in the status that this means.
std::string ChaosModel::of_one(const Process& process, const ToldProcess& told) const {
  const auto wish = wish_of(told.desired);
  if (!wish || !allowed(process).contains(*wish)) return "nobody asked for that";
  if (process.killed.contains(told.pid)) return "it was killed";
  switch (*wish) {
    case Wish::down: return told.status == "terminated" && told.pid == 0 ? "" : "it is to be down";
    case Wish::paused:
      if (told.phase == "spawning") return "its pid is on its way";
      return told.status == "paused" ? "" : "it is to be paused";
    case Wish::up: break;
  }
  if (told.pid == 0) return told.status == "initializing" ? "" : "it is to run";
  if (told.phase != "running") return "it is to be running";
  if (process.ready) return told.status == "idle" ? "" : "it is to be idle";
  const bool out = told.status == "initializing" && told.reason.starts_with("not ready: ");
  return out ? "" : "it is to be out of service";
}

// "waiting for broker": right while broker does not run.
bool ChaosModel::may_wait(const ToldProcess& told, const std::map<std::string, ToldProcess>& all) const {
  constexpr std::string_view kWaiting = "waiting for ";
  if (!told.reason.starts_with(kWaiting)) return false;
  const auto waits_for = [&](const std::string& name) {
    return told.reason.find(name, kWaiting.size()) != std::string::npos;
  };
  const auto is_away = [&](const std::string& id) { return all.contains(id) && all.at(id).pid == 0; };
  for (const auto& [name, members] : groups_)
    if (waits_for(name) && std::any_of(members.begin(), members.end(), is_away)) return true;
  return std::any_of(all.begin(), all.end(),
                     [&](const auto& one) { return waits_for(one.first) && is_away(one.first); });
}

std::string ChaosModel::of_untouched(const Process& process, const ToldProcess& told) const {
  if (process.touched) return "";
  const ToldProcess& before = process.before;
  // What waited for somebody comes when that one does.
  const bool waited = before.pid == 0 && before.desired == "up";
  if (told.pid != before.pid && !waited) return "nothing touched it, and its pid was " + std::to_string(before.pid);
  if (told.restarts != before.restarts)
    return "nothing touched it, and it had " + std::to_string(before.restarts) + " restarts";
  return "";
}

std::string ChaosModel::of_mode(const Process& process, const ToldProcess& told, const std::string& found) const {
  const bool is_outdated = !process.mode.empty() && found != process.mode;
  const std::string what = "it runs in the mode " + found + " instead of " + process.mode;
  if (told.outdated != is_outdated) return what + (is_outdated ? " and does not say so" : ", says the host");
  const bool went_on = !reloaded_ && process.before.outdated && told.pid == process.before.pid;
  return is_outdated && told.desired != "paused" && !went_on ? what : "";
}

std::string ChaosModel::of_what_runs(const std::map<std::string, ToldProcess>& told,
                                     const std::vector<FoundProcess>& found,
                                     const std::vector<std::string>& probes) const {
  std::map<pid_t, std::size_t> members;  // by group
  std::set<pid_t> stopped;
  for (const FoundProcess& each : found) {
    const std::string what = "pid " + std::to_string(each.pid) + " (" + each.command + ") of " + each.id;
    if (is_probe(each, probes)) {
      if (each.stopped) return "a stopped probe is left: " + what;
      continue;
    }
    const auto owner = told.find(each.id);
    if (owner == told.end() || owner->second.pid == 0) return what + " is left of what does not run";
    if (owner->second.pid != each.group)
      return what + " runs beside pid " + std::to_string(owner->second.pid) + ", in the group " +
             std::to_string(each.group);
    if (each.pid == each.group) {
      const std::string wrong = of_mode(processes_.at(each.id), owner->second, each.mode);
      if (!wrong.empty()) return each.id + ": " + wrong + " (" + describe(owner->second) + ")";
    }
    ++members[each.group];
    if (each.stopped) stopped.insert(each.pid);
  }
  for (const auto& [id, one] : told) {
    if (one.pid == 0) continue;
    const std::size_t expected = processes_.at(id).consists_of;
    if (members[one.pid] != expected)
      return id + " consists of " + std::to_string(members[one.pid]) + " processes instead of " +
             std::to_string(expected);
    if (stopped.contains(one.pid) != (one.status == "paused"))
      return id + " is " + one.status + ", and its process is " + (stopped.contains(one.pid) ? "" : "not ") + "stopped";
  }
  return "";
}

// Nobody has done anything with these but to kill them or somebody who takes them along.
bool ChaosModel::only_killed(const std::vector<std::string>& ids) const {
  return std::none_of(ids.begin(), ids.end(), [this](const std::string& id) { return processes_.at(id).asked; });
}

std::string ChaosModel::of_kills(const std::map<std::string, ToldProcess>& told) const {
  struct Count {
    std::vector<std::string> ids;
    int kills = 0;
    std::int64_t restarts = 0;
  };
  std::map<std::string, Count> units;
  for (const auto& [id, process] : processes_) {
    Count& unit = units[process.unit];
    unit.ids.push_back(id);
    unit.kills += process.kills;
    unit.restarts += told.at(id).restarts - process.before.restarts;
    if (!process.killed.contains(process.before.pid) || !only_killed(process.taken_along)) continue;
    for (const std::string& each : process.taken_along) {
      const Process& taken = processes_.at(each);
      if (taken.before.desired == "up" && taken.before.pid != 0 && told.at(each).pid == taken.before.pid)
        return each + " was to be restarted with " + id + ", and still has the pid " +
               std::to_string(taken.before.pid);
    }
  }
  for (const auto& [name, unit] : units) {
    if (unit.kills == 0 || !only_killed(unit.ids)) continue;
    if (unit.restarts < 1 || unit.restarts > unit.kills)
      return name + " counts " + std::to_string(unit.restarts) + " restarts after " + std::to_string(unit.kills) +
             " kills";
  }
  return "";
}

void ChaosModel::settle(const std::map<std::string, ToldProcess>& told) {
  reloaded_ = false;
  for (auto& [id, process] : processes_) {
    process.before = told.at(id);
    process.wishes = {wish_of(process.before.desired).value_or(Wish::up)};
    process.touched = process.asked = false;
    process.sure = false;
    process.asked_for.clear();
    process.killed.clear();
    process.kills = 0;
  }
}

}  // namespace tenon::test_support
