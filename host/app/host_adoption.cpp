// Taking over the processes that an earlier engine left: their channels, their state, and what became of them meanwhile.
#include <csignal>
#include <set>

#include "app/former_tree.hpp"
#include "app/host.hpp"
#include "common/logging.hpp"

namespace tenon::app {

void Host::adopt_processes(keeper::Adoption& adoption) {
  const runtime::TreeAdoption former = former_tree(adoption);
  // Channels first: what is adopted may count as ready at once, and then is written to.
  const std::map<std::string, std::string> broken = adopt_channels(adoption, former);
  const std::vector<std::string> strangers = tree_.adopt(former);
  manager_.for_each([this](const runtime::ProcessHandle& process) { announce(process); });
  const std::set<std::string> removed(strangers.begin(), strangers.end());
  for (const keeper::AdoptedChild& child : adoption.children) {
    if (child.exit) bridge_.on_exited({child.key, child.pid, *child.exit});
    else if (removed.contains(child.key.id)) end_stranger(child.key, child.stop);
  }
  for (const auto& [id, why] : broken) manager_.replace(id, why);
  for (const keeper::AdoptedListener& listener : adoption.listeners)
    if (integration::ProcessSockets::owns(listener.spec.name)) sockets_.adopt(listener.spec.name);
}

// Of a config before this one. The engine before may have asked it to stop already: asked again, its grace begins anew.
void Host::end_stranger(const keeper::ProcessKey& key, const keeper::StopPlan& stop) {
  log::info("engine", "a process is not in the config any more; it is stopped", {{"process", key.id}});
  const auto send = [this, key](int signal_number) {
    static_cast<void>(client_.signal(key, signal_number, keeper::SignalTarget::group));
  };
  if (stop.grace > std::chrono::milliseconds(0)) send(stop.signal_number);
  send(SIGCONT);
  stranger_timers_.push_back(loop_.after(stop.grace, [send] { send(SIGKILL); }));
}

// By id, why the channel of a process that runs cannot be taken over.
std::map<std::string, std::string> Host::adopt_channels(keeper::Adoption& adoption,
                                                        const runtime::TreeAdoption& former) {
  std::map<std::string, std::string> broken;
  for (keeper::AdoptedChild& child : adoption.children) {
    if (manager_.find(child.key.id) == nullptr) continue;  // of a config before this one
    logs_.taken_over(child.key.id);
    unique_fd memory;
    const auto kept = adoption.stash.find(integration::KeeperBridge::channel_key(child.key.id));
    if (kept != adoption.stash.end() && !kept->second.descriptors.empty())
      memory = std::move(kept->second.descriptors.front());
    const Status opened = bridge_.adopt(child, std::move(memory), kept_subscriptions(former, child.key.id));
    if (opened.ok()) continue;
    log::warn("engine", "a worker's channel cannot be taken over; the worker is replaced",
              {{"process", child.key.id}, {"why", opened.error().message}});
    if (!child.exit) broken[child.key.id] = opened.error().message;
  }
  return broken;
}

// The serializer stays, so whoever made it crash must go: the worker that sent the event, under its restart policy.
void Host::isolate_culprits() {
  for (const keeper::Breadcrumb& crumb : culprits_) {
    const std::string id = worker_named(crumb.subject, config_->node);
    const runtime::ProcessHandle* process = manager_.find(id);
    const bool runs = process != nullptr && process->pid.has_value();
    const std::string what = crumb.component + " crashed in " + crumb.call + " for " +
                             (id.empty() ? "an unknown" : id) +
                             (crumb.event_id.empty() ? "" : ", event " + crumb.event_id) +
                             "; it cannot be quarantined, because nothing else offers it: install a mended version" +
                             (runs ? ", or stop " + id + ", which is restarted now" : "");
    log::error("engine", what, {{"process", id}});
    alert("serializer_crash", crumb.component, what);
    if (runs) static_cast<void>(client_.signal({id, process->generation}, SIGKILL, keeper::SignalTarget::group));
  }
  culprits_.clear();
}

}  // namespace tenon::app
