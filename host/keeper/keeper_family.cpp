// A process and all that it started: signalled as one, and found again where no control group holds it together.
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

void KeeperCore::signal_family(Child& child, int signal_number) {
  const std::string& id = child.key.id;
  if (signal_number == SIGSTOP && child.contained && cgroups_.freeze(id, true)) return;
  if (signal_number == SIGCONT && child.contained) cgroups_.freeze(id, false);
  if (signal_number == SIGKILL) child.killed = true;
  signal_members(child, signal_number);
  if (signal_number == SIGKILL && child.contained) cgroups_.kill(id);
}

// While the leader is a zombie its group's number cannot be anybody else's: whatever it left behind dies now. True if
// some of that has yet to die: its exit is then told later, so that nothing of it meets the next start, or is there
// when a stop has been said to be done.
bool KeeperCore::kill_remains(const Child& child) {
  signal_members(child, SIGKILL);
  if (child.contained) return cgroups_.populated(child.key.id) && cgroups_.kill(child.key.id);
  if (!orphans_due_) orphans_due_ = now_ + kOrphanWait;
  return false;
}

void KeeperCore::finish_exit(Child& child) {
  if (child.abandoned) {
    const ProcessKey key = child.key;
    holdings_.children.erase(key);
    return leave_group(key.id);
  }
  if (engine_) engine_->tell_exit(child, now_);
}

void KeeperCore::look_at_lingering() {
  std::erase_if(lingering_, [this](const Lingering& one) {
    Child* child = holdings_.children.find(one.key);
    if (!child) return true;
    const bool alive = cgroups_.populated(one.key.id);
    if (alive && now_ < one.until) return false;
    if (alive) {
      log::warn("keeper", "what a process started does not die of SIGKILL; look for state D in ps",
                {{"process", to_string(one.key)}});
    }
    finish_exit(*child);
    return true;
  });
}

// The next start of an id is often in the group already when the one before is forgotten.
void KeeperCore::leave_group(const std::string& id) {
  if (!holdings_.children.knows(id)) cgroups_.remove(id);
}

void KeeperCore::note_memory_kill(Child& child, ExitReport& report) {
  if (report.status.signal != SIGKILL || child.killed || !child.memory_limited) return;
  report.out_of_memory = cgroups_.out_of_memory_kills(child.key.id) > child.memory_kills;
}

// What detached itself from a process that has ended is our child now, and says by its cookie whose it was. What
// belongs to a process that runs is left alone until that ends.
void KeeperCore::look_for_orphans() {
  orphans_due_.reset();
  if (!any_uncontained_) return;
  for (const pid_t pid : children_of(::getpid())) {
    if (holdings_.children.find_running(pid) || (engine_ && engine_->pid() == pid)) continue;
    const auto owner = orphan_search_.owner_of(pid);
    if (!owner) continue;
    const Child* child = holdings_.children.find(*owner);
    if (child && child->runs()) continue;
    log::info("keeper", "a process left something running; it is killed", {{"process", to_string(*owner)}, {"pid", pid}});
    ::kill(pid, SIGKILL);
  }
  if (orphan_search_.may_have_missed_one()) orphans_due_ = now_ + kOrphanWait;
}

// At the end: what is our child now and carries our cookie. What carries none is ours too if nobody else's orphans can
// come to us: we are not the first process of a namespace, and had no children before we were a keeper. True while
// anything is left that may still die.
bool KeeperCore::kill_strangers() {
  const bool all_are_ours = ::getpid() != 1 && !inherited_children_;
  bool any = false;
  for (const pid_t pid : children_of(::getpid())) {
    if (holdings_.children.find_running(pid) || (engine_ && engine_->pid() == pid)) continue;
    if (!all_are_ours && !orphan_search_.owner_of(pid)) continue;
    any = true;
    ::kill(pid, SIGKILL);
  }
  if (!all_are_ours && orphan_search_.may_have_missed_one()) any = true;
  if (!any) return false;
  if (!strangers_end_) strangers_end_ = now_ + kStrangerPatience;
  if (now_ < *strangers_end_) return true;
  log::error("keeper", "something that a process left behind does not die of SIGKILL; look for state D in ps");
  exit_code_ = exit_code_ == 0 ? 1 : exit_code_;
  return false;
}

}  // namespace tenon::keeper
