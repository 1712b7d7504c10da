#include "app/host.hpp"

#include <algorithm>
#include <csignal>

#include "app/process_usage.hpp"
#include "common/logging.hpp"
#include "integration/plugin_kinds.hpp"
#include "keeper/crash_blame.hpp"

namespace tenon::app {

namespace {

constexpr std::string_view kQuarantineKey = "quarantine";
// Dead letters are for reading by people: a store as large as the events themselves would help nobody.
constexpr std::size_t kDeadLetterBytes = 64 * 1024 * 1024;

loader::LoaderOptions loader_options(const integration::HostConfig& config) {
  loader::LoaderOptions options;
  options.directories = config.plugin_directories;
  options.watch = config.watch_plugins;
  options.kinds = integration::plugin_kinds();
  return options;
}

}  // namespace

Host::Host(event::Loop& loop, keeper::KeeperClient& client, std::shared_ptr<const integration::HostConfig> config,
           HostCallbacks callbacks)
    : loop_(loop), client_(client), config_(std::move(config)), callbacks_(std::move(callbacks)),
      tracer_(client.breadcrumbs()), worker_pool_(event::make_worker_pool(loop)),
      plugin_services_{loop, *worker_pool_, tracer_, metrics_, *this, config_->node},
      loader_(loader_options(*config_), loop, quarantine_, tracer_), serializers_(plugin_services_, loader_.registry()),
      budget_(config_->event_limit), dead_letters_(loop, config_->dead_letter_capacity, kDeadLetterBytes),
      router_(budget_, dead_letters_, *this, {config_->request_timeout, config_->block_for}),
      system_events_(loop, router_, "//" + config_->node), validation_(config_->schema_mode, serializers_),
      plugin_events_(system_events_), bridge_(client), commands_(loop, bridge_), policies_(plugin_services_, loader_.registry()),
      checks_(plugin_services_, loader_.registry()),
      logs_(loop, [](const runtime::ProcessId& id, const Error& problem) {
        log::warn("logs", problem.message, {{"process", id}});
      }),
      hub_({loop, router_, intake_, budget_, dead_letters_, serializers_,
            [this](std::string_view name) { return serializers_.make(name, "channel"); },
            [this](const message::Event& event) { return validation_.check(event); }, *this, config_->node}),
      process_events_(system_events_, hub_, {callbacks_.all_stopped, callbacks_.must_end, callbacks_.changed}),
      manager_({loop, bridge_, policies_, checks_, hub_, process_events_}), tree_(loop, manager_, bridge_, process_events_),
      transports_({loop, plugin_services_, loader_.registry(), serializers_, router_, intake_, budget_, dead_letters_,
                   system_events_, askers_, [this](const message::Event& event) { return validation_.check(event); },
                   config_->request_timeout, config_->node},
                  config_->transports, config_->routes) {
  bridge_.connect(manager_, hub_, logs_, commands_);
  loader_.registry().add_observer(&plugin_events_);
}

Host::~Host() {
  loader_.registry().remove_observer(&plugin_events_);
  dead_letters_.disconnect();
}

// --- preparing and starting ---

// What the engine before was doing inside a plugin when it died decides whether that plugin is loaded again.
void Host::report_crash(const keeper::Adoption& adoption) {
  if (const auto kept = adoption.stash.find(kQuarantineKey); kept != adoption.stash.end())
    if (Status restored = quarantine_.restore(kept->second.bytes); !restored.ok())
      log::warn("loader", "the list of quarantined plugins was unreadable and is empty now", {{"why", restored.error().message}});
  if (!adoption.hello.previous_exit) return;
  const keeper::Blame blame =
      keeper::blame_for(adoption.trail, *adoption.hello.previous_exit, adoption.hello.previous_hung);
  if (blame.suspects.empty()) return;
  for (const keeper::Breadcrumb& crumb : blame.suspects) {
    loader::CrashReport report{crumb.file, crumb.component, crumb.call, to_string(*adoption.hello.previous_exit),
                               adoption.hello.previous_hung, blame.certain};
    const bool quarantined = quarantine_.report(report);
    log::error("loader", "the engine ended inside a plugin",
               {{"file", crumb.file}, {"component", crumb.component}, {"call", crumb.call}, {"for", crumb.subject},
                {"event", crumb.event_id}, {"how", report.how}, {"quarantined", quarantined}});
  }
  static_cast<void>(client_.put(std::string(kQuarantineKey), quarantine_.serialize()));
}

Status Host::prepare(keeper::Adoption& adoption) {
  report_crash(adoption);
  if (client_.breadcrumbs() != nullptr) keeper::clear_breadcrumbs(*client_.breadcrumbs());
  TENON_TRY(loader_.start());
  auto json = serializers_.make("json", "host");
  if (!json.ok()) return std::move(json).error().with_context("the host needs the serializer json");
  json_ = std::move(*json);
  dead_letters_.connect(system_events_, *json_, serializers_);
  TENON_TRY(validation_.load(config_->schema_directories, *json_));
  TENON_TRY(tree_.load(*config_->supervision));
  return configure_workers();
}

Status Host::configure_workers() {
  Status result;
  manager_.for_each([&](const runtime::ProcessHandle& process) {
    if (!result.ok()) return;
    logs_.configure(process.id(), process.config->log);
    const auto worker = config_->workers.find(process.id());
    const integration::WorkerConfig none;
    result = hub_.add(process.id(), process.config->base_id, worker == config_->workers.end() ? none : worker->second);
    hub_.set_status(process.id(), process.status);
  });
  return result;
}

Status Host::start(keeper::Adoption& adoption) {
  TENON_TRY(transports_.start());
  const bool first = adoption.hello.engine_ordinal <= 1 && adoption.children.empty();
  if (!first) return adopt_processes(adoption);
  tree_.start();
  return {};
}

Status Host::adopt_processes(keeper::Adoption& adoption) {
  runtime::TreeAdoption former;
  former.engine_lost = MonotonicTime{Duration(adoption.hello.engine_lost_ns)};
  std::unordered_map<std::string, std::string> subscriptions;
  for (auto& [key, entry] : adoption.stash) {
    if (!key.starts_with(integration::KeeperBridge::kLabelPrefix)) continue;
    const std::string id = key.substr(integration::KeeperBridge::kLabelPrefix.size());
    if (id.starts_with(runtime::kSupervisorKeyPrefix)) {
      auto label = runtime::SupervisorLabel::decode(entry.bytes);
      if (label.ok()) former.supervisors[id.substr(runtime::kSupervisorKeyPrefix.size())] = std::move(*label);
      continue;
    }
    auto label = runtime::ProcessLabel::decode(entry.bytes);
    if (!label.ok()) {
      log::warn("engine", "a process's label is unreadable; it is treated as new", {{"process", id}, {"why", label.error().message}});
      continue;
    }
    subscriptions[id] = label->extra;
    former.processes[id].label = std::move(*label);
  }
  for (const keeper::AdoptedChild& child : adoption.children) {
    auto& slot = former.processes[child.key.id].child;
    if (slot && slot->generation > child.key.generation) continue;  // an older one whose exit was not yet forgotten
    runtime::AdoptedProcess::Child adopted{child.key.generation, child.pid, MonotonicTime{Duration(child.started_ns)}, {}};
    if (child.exit)
      adopted.exit = {child.exit->status, child.exit->run_time,
                      {child.exit->user_cpu, child.exit->system_cpu, child.exit->max_resident_bytes}};
    slot = adopted;
  }

  // Channels first: what is adopted may count as ready at once, and then is written to.
  std::vector<std::string> broken;
  for (keeper::AdoptedChild& child : adoption.children) {
    unique_fd memory;
    const auto kept = adoption.stash.find(integration::KeeperBridge::channel_key(child.key.id));
    if (kept != adoption.stash.end() && !kept->second.descriptors.empty()) memory = std::move(kept->second.descriptors.front());
    const Status opened = bridge_.adopt(child, std::move(memory), subscriptions[child.key.id]);
    if (opened.ok()) continue;
    log::warn("engine", "a worker's channel cannot be taken over; the worker is restarted",
              {{"process", child.key.id}, {"why", opened.error().message}});
    if (!child.exit) broken.push_back(child.key.id);
  }
  const std::vector<std::string> strangers = tree_.adopt(former);
  manager_.for_each([this](const runtime::ProcessHandle& process) { hub_.set_status(process.id(), process.status); });
  for (const keeper::AdoptedChild& child : adoption.children) {
    if (child.exit) bridge_.on_exited({child.key, child.pid, *child.exit});
    else if (std::find(strangers.begin(), strangers.end(), child.key.id) != strangers.end())
      static_cast<void>(client_.signal(child.key, SIGKILL, keeper::SignalTarget::group));
  }
  for (const std::string& id : broken) manager_.restart(id, [](Status) {});
  return {};
}

void Host::stop(Duration bound) {
  tree_.stop_all(bound, [this](Status stopped) {
    if (!stopped.ok()) log::error("engine", stopped.error().message);
    transports_.stop(std::chrono::seconds(2), [this] {
      if (callbacks_.all_stopped) callbacks_.all_stopped();
    });
  });
}

// --- time of messages ---

void Host::rearm_message_timer() {
  const MonotonicTime next = router_.next_deadline().value_or(MonotonicTime::max());
  if (next == message_timer_at_) return;
  message_timer_at_ = next;
  if (next == MonotonicTime::max()) return message_timer_.reset();
  message_timer_ = loop_.after(next - loop_.clock().monotonic(), [this] { message_timer_due(); });
}

void Host::message_timer_due() {
  message_timer_at_ = MonotonicTime::max();
  router_.on_time(loop_.clock().monotonic(), loop_.clock().wall());
  rearm_message_timer();
}

void Host::refresh_in_flight() {
  std::vector<std::pair<std::string, std::uint32_t>> counts;
  manager_.for_each([&](const runtime::ProcessHandle& process) {
    const auto in_flight = static_cast<std::uint32_t>(hub_.in_flight(process.id()));
    if (in_flight != process.in_flight) counts.emplace_back(process.id(), in_flight);
  });
  for (const auto& [id, count] : counts) manager_.set_in_flight(id, count);
}

bool Host::idle() {
  refresh_in_flight();
  const auto must_end = [this](const runtime::ProcessHandle& process) {
    const integration::WorkerConfig* worker = hub_.config(process.id());
    return worker == nullptr || worker->subscribe.empty();
  };
  return tree_.idle(must_end) && router_.quiet() && hub_.quiet() && transports_.quiet();
}

// --- integration::WorkerHubEvents ---

void Host::on_worker_ready(const std::string& id, std::uint64_t generation) { manager_.notify_ready(id, generation); }
void Host::on_worker_status(const std::string& id, std::string_view text) { manager_.set_worker_status(id, text); }
void Host::on_worker_log(const std::string& id, std::string_view line) {
  logs_.append_line(id, runtime::LogStream::standard_output, line);
}
void Host::on_worker_broken(const std::string& id, std::uint64_t generation, const std::string& why) {
  log::error("engine", "a worker's channel cannot be followed; it is killed, its restart policy decides",
             {{"process", id}, {"why", why}});
  static_cast<void>(client_.signal({id, generation}, SIGKILL, keeper::SignalTarget::group));
}
void Host::keep_channel_memory(const std::string& id, std::uint64_t, int fd) { bridge_.keep_channel_memory(id, fd); }
void Host::keep_subscriptions(const std::string& id, std::string text) {
  if (Status kept = manager_.set_extra(id, std::move(text)); !kept.ok())
    log::warn("engine", "a worker's subscriptions do not survive a restart of the engine",
              {{"process", id}, {"why", kept.error().message}});
}

// --- integration::PluginEnvironment ---

Result<std::uint64_t> Host::run_command(integration::CommandRequest request,
                                        std::function<void(integration::CommandOutcome)> done) {
  return commands_.run(std::move(request), std::move(done));
}
void Host::cancel_command(std::uint64_t command) { commands_.cancel(command); }

Status Host::process_usage(std::string_view id, tenon_usage& out) {
  const runtime::ProcessHandle* process = manager_.find(id);
  if (process == nullptr || !process->pid) return Error(errc::not_found, "process " + std::string(id) + " does not run");
  return read_process_usage(*process->pid, out);
}

Result<MonotonicTime> Host::last_control_message(std::string_view id, std::string_view type) {
  const runtime::ProcessHandle* process = manager_.find(id);
  if (process == nullptr || !process->pid) return Error(errc::not_found, "process " + std::string(id) + " does not run");
  return hub_.last_control(id, type);
}

Status Host::transport_round_trip(std::string_view transport, MonotonicTime deadline, std::function<void(Status)> done) {
  return transports_.round_trip(transport, deadline, std::move(done));
}

// --- message::RouterEvents ---

void Host::answer_for(std::uint64_t asker_token, const message::Event& answer) { askers_.answer(asker_token, &answer); }
void Host::request_timed_out(const message::PendingRequest& request) {
  if (!hub_.request_timed_out(request)) askers_.answer(request.asker.token, nullptr);
}
void Host::sender_released(message::ReceiverId sender) { hub_.sender_released(sender); }

}  // namespace tenon::app
