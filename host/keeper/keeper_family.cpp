// A process and all that it started: signalled as one, and found again where no control group holds it together.
#include <algorithm>
#include <csignal>
#include <unistd.h>

#include "common/logging.hpp"
#include "keeper/keeper_core.hpp"
#include "keeper/orphans.hpp"

namespace tenon::keeper {
namespace {

// After an exit, so that many exits cost one walk.
constexpr Duration kOrphanWait = std::chrono::milliseconds(20);
// For what is left at the end to die of SIGKILL.
constexpr Duration kStrangerPatience = std::chrono::seconds(2);

}  // namespace

void KeeperCore::signal_family(const Child& child, int signal_number) {
  const std::string& id = child.key.id;
  if (signal_number == SIGSTOP && child.contained && cgroups_.freeze(id, true)) return;
  if (signal_number == SIGCONT && child.contained) cgroups_.freeze(id, false);
  ::kill(-child.pid, signal_number);
  if (signal_number == SIGKILL && child.contained) cgroups_.kill(id);
}

// While the leader is a zombie its group's number cannot be anybody else's: whatever it left behind dies now.
void KeeperCore::kill_remains(const Child& child) {
  signal_family(child, SIGKILL);
  if (!child.contained && !orphans_due_) orphans_due_ = now_ + kOrphanWait;
}

// The next start of an id is often in the group already when the one before is forgotten.
void KeeperCore::leave_group(const std::string& id) {
  if (!holdings_.children.knows(id)) cgroups_.remove(id);
}

void KeeperCore::note_memory_kill(Child& child, ExitReport& report) {
  if (report.status.signal != SIGKILL) return;
  report.out_of_memory = cgroups_.out_of_memory_kills(child.key.id) > child.memory_kills;
}

// What detached itself from a process that has ended is our child now, and says by its cookie whose it was. What
// belongs to a process that runs is left alone until that ends.
void KeeperCore::look_for_orphans() {
  orphans_due_.reset();
  if (cgroups_.contains()) return;
  for (const pid_t pid : children_of(::getpid())) {
    if (holdings_.children.find_running(pid) || (engine_ && engine_->pid() == pid)) continue;
    const auto owner = owner_of(pid, run_);
    if (!owner) continue;
    const Child* child = holdings_.children.find(*owner);
    if (child && child->runs()) continue;
    log::info("keeper", "a process left something running; it is killed", {{"process", to_string(*owner)}, {"pid", pid}});
    ::kill(pid, SIGKILL);
  }
}

// At the end all that is our child and was not before we were a keeper descends from what we started. True while
// anything is left that may still die.
bool KeeperCore::kill_strangers() {
  if (strangers_end_ && now_ >= *strangers_end_) return false;
  bool any = false;
  for (const pid_t pid : children_of(::getpid())) {
    const bool known = holdings_.children.find_running(pid) || (engine_ && engine_->pid() == pid) ||
                       std::find(inherited_.begin(), inherited_.end(), pid) != inherited_.end();
    if (known) continue;
    any = true;
    ::kill(pid, SIGKILL);
  }
  if (any && !strangers_end_) strangers_end_ = now_ + kStrangerPatience;
  return any;
}

}  // namespace tenon::keeper
