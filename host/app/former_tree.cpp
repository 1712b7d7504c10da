#include "app/former_tree.hpp"

#include "common/logging.hpp"
#include "integration/keeper_bridge.hpp"

namespace tenon::app {

namespace {

void add_label(runtime::TreeAdoption& former, const std::string& id, const std::string& bytes) {
  if (id.starts_with(runtime::kSupervisorKeyPrefix)) {
    auto label = runtime::SupervisorLabel::decode(bytes);
    if (label.ok()) former.supervisors[id.substr(runtime::kSupervisorKeyPrefix.size())] = std::move(*label);
    return;
  }
  auto label = runtime::ProcessLabel::decode(bytes);
  if (label.ok()) former.processes[id].label = std::move(*label);
  else
    log::warn("engine", "a process's label is unreadable; it is treated as new",
              {{"process", id}, {"why", label.error().message}});
}

void add_child(runtime::TreeAdoption& former, const keeper::AdoptedChild& child) {
  auto& slot = former.processes[child.key.id].child;
  if (slot && slot->generation > child.key.generation) return;
  runtime::AdoptedProcess::Child adopted{
      child.key.generation, child.pid, MonotonicTime{Duration(child.started_ns)}, {}};
  if (child.exit)
    adopted.exit = {child.exit->status, child.exit->run_time,
                    {child.exit->user_cpu, child.exit->system_cpu, child.exit->max_resident_bytes,
                     child.exit->out_of_memory}};
  slot = adopted;
}

}  // namespace

runtime::TreeAdoption former_tree(const keeper::Adoption& adoption) {
  constexpr std::string_view kPrefix = integration::KeeperBridge::kLabelPrefix;
  runtime::TreeAdoption former;
  former.engine_lost = MonotonicTime{Duration(adoption.hello.engine_lost_ns)};
  for (const auto& [key, entry] : adoption.stash)
    if (key.starts_with(kPrefix)) add_label(former, key.substr(kPrefix.size()), entry.bytes);
  for (const keeper::AdoptedChild& child : adoption.children) add_child(former, child);
  return former;
}

std::string_view kept_subscriptions(const runtime::TreeAdoption& former, const std::string& id) {
  const auto process = former.processes.find(id);
  if (process == former.processes.end() || !process->second.label) return {};
  return process->second.label->extra;
}

std::string worker_named(std::string_view subject, std::string_view node) {
  const std::string source = "//" + std::string(node) + "/";
  if (subject.starts_with(source)) subject.remove_prefix(source.size());
  return std::string(subject);
}

}  // namespace tenon::app
