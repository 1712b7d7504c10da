// What must hold of a host's processes at a quiet moment, however they were killed, paused and reloaded before.
//
// The model. Between two quiet moments (settle) the test notes what it does: which processes a kill, a verb or a reload
// touches, and what may be wished of each afterwards. At the next one mismatch() compares that with what the host says
// and with what the kernel has:
//
//   - every process is wanted as somebody may have asked for: up, down or paused; what nobody asked about is as it was
//   - who is up runs exactly once, in a group of its own, with as many processes as it consists of; who is paused is
//     stopped by a signal, or waits to be resumed; who is down does not run; nothing else is left of anybody
//   - who runs does so by the config in force, unless it is paused, or was at the last reload; then it says so
//   - what nothing touched has kept its pid, its count of restarts and its absence
//   - what was killed does not run any more; who was only killed has come back, with those whom its strategy takes
//     along, and has counted at least one restart and at most one a kill
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "support/host_census.hpp"

namespace tenon::test_support {

class ChaosModel {
 public:
  enum class Wish : char { up, down, paused };

  // A process that the config has from now on, wanted up. `unit`: those whose restarts count together; `taken_along`:
  // whom its failure restarts, itself included; `consists_of`: how many processes it is when it is up.
  void add(const std::string& id, const std::string& unit, std::vector<std::string> taken_along,
           std::size_t consists_of = 1);
  void remove(const std::string& id);
  // What the host may call these together when it says for whom somebody waits.
  void name_group(const std::string& name, std::vector<std::string> members) { groups_[name] = std::move(members); }
  bool has(const std::string& id) const { return processes_.contains(id); }
  std::vector<std::string> ids() const;

  // `pid` of the process gets a signal that ends it.
  void kill(const std::string& id, pid_t pid);
  // Somebody asks for this; `sure`: and was told that it is so.
  void ask(const std::string& id, Wish wish, bool sure);
  // What its MODE is from the next reload on; empty, as at first: it may be anything.
  void configure(const std::string& id, const std::string& mode);
  // The config is read again, perhaps more than once; it is in force before the next quiet moment.
  void reload();
  // Out of service by a readiness check, while it runs.
  void set_ready(const std::string& id, bool ready) { processes_.at(id).ready = ready; }

  // A sentence; empty: all is as it should be. One of `probes` stands in each command of a health check; they belong to
  // nobody and must not be left stopped.
  std::string mismatch(const std::map<std::string, ToldProcess>& told, const std::vector<FoundProcess>& found,
                       const std::vector<std::string>& probes) const;
  // A quiet moment: what is so now is what must stay so.
  void settle(const std::map<std::string, ToldProcess>& told);

 private:
  struct Process {
    std::string unit;
    std::vector<std::string> taken_along;
    std::size_t consists_of = 1;
    bool ready = true;
    std::string mode;
    std::set<Wish> wishes{Wish::up};  // what it may be wanted as
    ToldProcess before;               // at the last quiet moment
    // Since then; what is new was touched:
    bool touched = true;  // by anything
    bool asked = true;    // by more than kills
    std::set<Wish> asked_for;
    bool sure = false;
    std::set<pid_t> killed;
    int kills = 0;
  };

  std::set<Wish> allowed(const Process& process) const;
  std::string of_one(const Process& process, const ToldProcess& told) const;
  std::string of_what_runs(const std::map<std::string, ToldProcess>& told, const std::vector<FoundProcess>& found,
                           const std::vector<std::string>& probes) const;
  std::string of_mode(const Process& process, const ToldProcess& told, const std::string& found) const;
  std::string of_untouched(const Process& process, const ToldProcess& told) const;
  std::string of_kills(const std::map<std::string, ToldProcess>& told) const;
  bool may_wait(const ToldProcess& told, const std::map<std::string, ToldProcess>& all) const;
  bool only_killed(const std::vector<std::string>& ids) const;

  std::map<std::string, Process> processes_;
  bool reloaded_ = false;  // since the last quiet moment
  std::map<std::string, std::vector<std::string>> groups_;
};

}  // namespace tenon::test_support
