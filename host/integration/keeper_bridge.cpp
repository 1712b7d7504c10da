#include "integration/keeper_bridge.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include "common/logging.hpp"

namespace tenon::integration {

namespace {

keeper::StopPlan to_keeper(const runtime::StopPlan& stop) {
  keeper::StopPlan plan;
  plan.signal_number = stop.signal;
  plan.grace = std::min(std::chrono::duration_cast<std::chrono::milliseconds>(stop.grace), keeper::kMaxGrace);
  plan.rank = stop.rank;
  return plan;
}

keeper::ChannelKind to_keeper(runtime::ChannelKind kind) {
  switch (kind) {
    case runtime::ChannelKind::none: return keeper::ChannelKind::none;
    case runtime::ChannelKind::stdio: return keeper::ChannelKind::stdio;
    case runtime::ChannelKind::socket: return keeper::ChannelKind::socket;
  }
  return keeper::ChannelKind::none;
}

std::vector<keeper::ResourceLimit> to_keeper(const runtime::ResourceLimits& limits) {
  std::vector<keeper::ResourceLimit> out;
  const auto add = [&](int resource, const std::optional<std::uint64_t>& value) {
    if (value) out.push_back({resource, *value, *value});
  };
  add(RLIMIT_NOFILE, limits.open_files);
  add(RLIMIT_CORE, limits.core_bytes);
  return out;
}

}  // namespace

KeeperStore::Link store_link(keeper::KeeperClient& client) {
  return {[&client](const std::string& key, const std::string& bytes, int fd) {
            return client.put(key, bytes, fd >= 0 ? std::vector<int>{fd} : std::vector<int>{});
          },
          [&client](const std::string& key) { return client.erase(key); }};
}

// --- requests ---

Status KeeperBridge::spawn(const runtime::ProcessConfig& config, std::uint64_t generation, const runtime::StopPlan& stop) {
  keeper::SpawnSpec spec;
  spec.key = {config.id, generation};
  spec.argv = config.argv;
  if (config.shared_env != nullptr) spec.environment = *config.shared_env;
  spec.environment.insert(spec.environment.end(), config.env.begin(), config.env.end());
  spec.directory = config.cwd;
  spec.uid = config.uid;
  spec.gid = config.gid;
  spec.groups = config.groups;
  spec.file_mode_mask = config.umask;
  spec.nice = config.nice;
  spec.no_new_privileges = config.no_new_privileges;
  spec.capabilities = config.capabilities;
  spec.private_tmp = config.private_tmp;
  spec.io_priority = config.io_priority;
  spec.limits = to_keeper(config.limits);
  spec.group_limits.memory_bytes = config.limits.memory_bytes;
  spec.group_limits.processes = config.limits.processes;
  if (config.limits.cpu) {
    spec.group_limits.cpu_millicores = static_cast<std::uint32_t>(std::max(1.0, *config.limits.cpu * 1000));
  }
  spec.channel = to_keeper(config.channel);
  spec.notify = config.notify;
  if (share_outputs_ && spec.channel == keeper::ChannelKind::none) spec.standard_error = keeper::OutputMode::merge;
  spec.stop = to_keeper(stop);
  spec.sockets = sockets_->give(config);
  return client_.spawn(std::move(spec));
}

Status KeeperBridge::signal(const runtime::ProcessId& id, std::uint64_t generation, int signal_number, bool whole_group) {
  return client_.signal({id, generation}, signal_number,
                        whole_group ? keeper::SignalTarget::group : keeper::SignalTarget::process);
}

Status KeeperBridge::set_stop_plan(const runtime::ProcessId& id, std::uint64_t generation, const runtime::StopPlan& stop) {
  return client_.set_stop_plan({id, generation}, to_keeper(stop));
}

void KeeperBridge::forget(const runtime::ProcessId& id, std::uint64_t generation) {
  static_cast<void>(client_.forget({id, generation}));  // with the link lost, everything is
}

void KeeperBridge::save_label(std::string_view key, std::string bytes) {
  store_.put(std::string(kLabelPrefix) + std::string(key), std::move(bytes));
}

void KeeperBridge::drop_label(std::string_view key) {
  store_.erase(std::string(kLabelPrefix) + std::string(key));
}

void KeeperBridge::keep_channel_memory(const std::string& id, int fd) {
  if (fd >= 0) store_.put(channel_key(id), {}, fd);
  else store_.erase(channel_key(id));
}

Status KeeperBridge::spawn_command(keeper::SpawnSpec spec) { return client_.spawn(std::move(spec)); }
void KeeperBridge::kill_command(const keeper::ProcessKey& key) {
  static_cast<void>(client_.signal(key, SIGKILL, keeper::SignalTarget::group));
}
void KeeperBridge::forget_command(const keeper::ProcessKey& key) { static_cast<void>(client_.forget(key)); }

Status KeeperBridge::keep_listening(keeper::ListenSpec spec) { return client_.listen(std::move(spec)); }
Status KeeperBridge::stop_listening(std::string name) { return client_.unlisten(std::move(name)); }

// --- answers ---

void KeeperBridge::listen_to(const keeper::ProcessKey& key, unique_fd socket, pid_t pid) {
  const runtime::ProcessHandle* process = manager_->find(key.id);
  const uid_t user = process == nullptr ? ::geteuid() : process->config->uid.value_or(::geteuid());
  if (Status attached = notify_->attach(key.id, key.generation, std::move(socket), pid, user); !attached.ok())
    log::warn("engine", "a process is not heard by sd_notify", {{"process", key.id}, {"why", attached.error().message}});
}

Status KeeperBridge::open_worker(const keeper::ProcessKey& key, keeper::ChildDescriptors descriptors,
                                 keeper::ChannelKind kind, unique_fd memory, std::string_view subscriptions) {
  using runtime::LogStream;
  if (descriptors.error.valid())
    if (Status attached = logs_->attach(key.id, LogStream::standard_error, std::move(descriptors.error)); !attached.ok())
      log::warn("engine", "standard error is not captured", {{"process", key.id}, {"why", attached.error().message}});
  ChannelDescriptors channel;
  if (kind == keeper::ChannelKind::stdio) {
    channel.input = std::move(descriptors.output);
    channel.output = std::move(descriptors.input);
  } else {
    channel.input = std::move(descriptors.channel);
    if (descriptors.output.valid())
      if (Status attached = logs_->attach(key.id, LogStream::standard_output, std::move(descriptors.output)); !attached.ok())
        log::warn("engine", "standard output is not captured", {{"process", key.id}, {"why", attached.error().message}});
  }
  return hub_->start(key.id, key.generation, std::move(channel), std::move(memory), subscriptions);
}

void KeeperBridge::on_spawned(keeper::Spawned spawned) {
  if (CommandRunner::owns(spawned.key)) return commands_->on_spawned(std::move(spawned));
  const WorkerConfig* config = hub_->config(spawned.key.id);
  const keeper::ChannelKind kind = config == nullptr ? keeper::ChannelKind::none : to_keeper(config->channel.kind);
  if (spawned.descriptors.notify.valid())
    listen_to(spawned.key, std::move(spawned.descriptors.notify), spawned.pid);
  const Status opened = open_worker(spawned.key, std::move(spawned.descriptors), kind, {}, {});
  manager_->on_spawned(spawned.key.id, spawned.key.generation, spawned.pid);
  if (opened.ok()) return;
  log::error("engine", "a worker's channel could not be opened; it is killed, its restart policy decides",
             {{"process", spawned.key.id}, {"why", opened.error().message}});
  static_cast<void>(client_.signal(spawned.key, SIGKILL, keeper::SignalTarget::group));
}

void KeeperBridge::on_spawn_failed(const keeper::SpawnFailed& failure) {
  if (CommandRunner::owns(failure.key)) return commands_->on_spawn_failed(failure);
  manager_->on_spawn_failed(failure.key.id, failure.key.generation, failure.stage, failure.error_number, failure.message);
}

void KeeperBridge::name_main_process(const std::string& id, std::uint64_t generation, pid_t pid) {
  static_cast<void>(client_.name_main_process({id, generation}, pid));
}

void KeeperBridge::on_handed_over(const keeper::HandedOver& handed) {
  notify_->note_main_process(handed.key.id, handed.key.generation, handed.pid);
  manager_->on_handed_over(handed.key.id, handed.key.generation, handed.pid);
}

void KeeperBridge::on_main_process_refused(const keeper::MainProcessRefused& refused) {
  log::warn("engine", "a process names another as its main process (MAINPID) that is not followed",
            {{"process", refused.key.id}, {"main_pid", refused.pid}, {"why", refused.why}});
}

void KeeperBridge::on_exited(const keeper::Exited& exited) {
  if (CommandRunner::owns(exited.key)) return commands_->on_exited(exited);
  const std::string& id = exited.key.id;
  notify_->detach(id, exited.key.generation);
  hub_->exited(id, exited.key.generation);
  logs_->detach(id, runtime::LogStream::standard_output);
  logs_->detach(id, runtime::LogStream::standard_error);
  const runtime::ResourceUsage usage{exited.exit.user_cpu, exited.exit.system_cpu, exited.exit.max_resident_bytes,
                                     exited.exit.out_of_memory};
  manager_->on_exited(id, exited.key.generation, exited.exit.status, exited.exit.run_time, usage);
}

Status KeeperBridge::adopt(keeper::AdoptedChild& child, unique_fd channel_memory, std::string_view subscriptions) {
  if (child.channel != keeper::ChannelKind::none && !channel_memory.valid())
    return Error(errc::wrong_state, "the engine ended before the channel's memory was kept");
  if (child.descriptors.notify.valid()) listen_to(child.key, std::move(child.descriptors.notify), child.pid);
  TENON_TRY(open_worker(child.key, std::move(child.descriptors), child.channel, std::move(channel_memory),
                        subscriptions));
  // What it said to the engine before is not known: its silence counts from now.
  hub_->note_control(child.key.id, child.key.generation, NotifyHub::kWatchdog);
  return {};
}

}  // namespace tenon::integration
