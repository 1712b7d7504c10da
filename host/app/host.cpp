#include "app/host.hpp"

#include <filesystem>

#include <algorithm>
#include <map>
#include <set>

#include "app/descriptor_budget.hpp"
#include "app/host_stash.hpp"
#include "app/process_usage.hpp"
#include "common/json_writer.hpp"
#include "common/logging.hpp"
#include "common/system.hpp"
#include "integration/plugin_kinds.hpp"
#include "keeper/crash_blame.hpp"

namespace tenon::app {

namespace {

// A plugin that had a listening socket in the engine before has asked for it again by then, or will not.
constexpr Duration kClaimWithin = std::chrono::seconds(60);
// Dead letters are for reading by people: a store as large as the events themselves would help nobody.
constexpr std::size_t kDeadLetterBytes = 64 * 1024 * 1024;

loader::LoaderOptions loader_options(const integration::HostConfig& config, bool safe_mode,
                                     integration::KeeperStore& store) {
  loader::LoaderOptions options;
  options.directories = safe_mode ? std::vector{config.own_plugin_directory} : config.plugin_directories;
  options.watch = config.watch_plugins;
  options.kinds = integration::plugin_kinds();
  options.keep = [&store](const loader::PluginPlace& place, const loader::FileStamp& stamp, int copy) {
    store.put(std::string(kPluginPrefix) + place.path, loader::KeptPlugin{place, stamp, {}}.encode(), copy);
  };
  options.forget = [&store](const std::string& path) { store.erase(std::string(kPluginPrefix) + path); };
  return options;
}

// Those of `directory` only, if it is not empty. The others stay with the keeper for an engine after this one.
std::vector<loader::KeptPlugin> kept_plugins(keeper::Adoption& adoption, const std::string& directory) {
  std::vector<loader::KeptPlugin> former;
  for (auto& [key, entry] : adoption.stash) {
    if (!key.starts_with(kPluginPrefix) || entry.descriptors.size() != 1) continue;
    if (!directory.empty() && parent_of(key.substr(kPluginPrefix.size())) != directory) continue;
    auto kept =
        loader::KeptPlugin::decode(entry.bytes, key.substr(kPluginPrefix.size()), std::move(entry.descriptors.front()));
    if (kept.ok()) former.push_back(std::move(*kept));
    else log::warn("loader", "a plugin cannot be taken over", {{"key", key}, {"why", kept.error().message}});
  }
  return former;
}

}  // namespace

Host::Host(event::Loop& loop, keeper::KeeperClient& client, std::shared_ptr<const integration::HostConfig> config,
           std::uint64_t engine, bool safe_mode, HostCallbacks callbacks)
    : loop_(loop), client_(client), config_(std::move(config)), safe_mode_(safe_mode), callbacks_(std::move(callbacks)),
      tracer_(client.breadcrumbs()), worker_pool_(event::make_worker_pool(loop)),
      plugin_services_{loop, *worker_pool_, tracer_, metrics_, *this, config_->node},
      loader_(loader_options(*config_, safe_mode, store_), loop, quarantine_, tracer_),
      serializers_(plugin_services_, loader_.registry()), budget_(config_->event_limit),
      dead_letters_(loop, config_->dead_letter_capacity, kDeadLetterBytes),
      router_(budget_, dead_letters_, *this, {config_->request_timeout, config_->block_for}),
      system_events_(loop, router_, "//" + config_->node), validation_(config_->schema_mode, serializers_),
      plugin_events_(system_events_), store_(loop, integration::store_link(client)), bridge_(client, store_),
      commands_(loop, bridge_, engine,
                [this](std::string_view id) {
                  const runtime::ProcessHandle* process = manager_.find(id);
                  return process == nullptr ? nullptr : process->config.get();
                },
                std::filesystem::path(config_->file).parent_path()),
      listeners_(bridge_), sockets_(loop, [this](std::string name) { close_socket(std::move(name)); }),
      policies_(plugin_services_, loader_.registry()),
      checks_(plugin_services_, loader_.registry()),
      logs_(loop, [](const runtime::ProcessId& id, const Error& problem) {
        log::warn("logs", problem.message, {{"process", id}});
      }),
      hub_({loop, router_, intake_, budget_, dead_letters_, serializers_,
            [this](std::string_view name, const std::string& instance) { return serializers_.make(name, instance); },
            [this](const message::Event& event) { return validation_.check(event); }, *this, config_->node}),
      process_events_(system_events_, hub_, sockets_, callbacks_.must_end),
      manager_({loop, bridge_, policies_, checks_, hub_, process_events_}),
      notify_(loop, manager_, hub_,
              [this](const std::string& id, std::uint64_t generation, pid_t pid) {
                bridge_.name_main_process(id, generation, pid);
              }),
      tree_(loop, manager_, bridge_, process_events_),
      transports_({loop, plugin_services_, loader_.registry(), serializers_, router_, intake_, budget_, dead_letters_,
                   system_events_, askers_, [this](const message::Event& event) { return validation_.check(event); },
                   config_->request_timeout, config_->node},
                  config_->transports, config_->routes) {
  system_events_.hold();
  sockets_.connect(manager_);
  bridge_.connect(manager_, hub_, notify_, sockets_, logs_, commands_);
  bridge_.share_outputs(outputs_for(*config_) == Outputs::shared);
  loader_.registry().add_observer(&plugin_events_);
}

void Host::close_socket(std::string name) {
  log::info("engine", "nobody is to use this socket any more; its clients are hung up on", {{"listener", name}});
  if (Status told = bridge_.stop_listening(name); !told.ok())
    log::warn("engine", "the keeper goes on listening for nobody", {{"listener", name}, {"why", told.error().message}});
}

Host::~Host() {
  worker_pool_->hurry();  // a job may hang for as long as its deadline allows; nobody waits for its result
  loader_.registry().remove_observer(&plugin_events_);
  dead_letters_.disconnect();
}

// --- preparing and starting ---

// What the engine before was doing inside a plugin when it died decides whether that plugin is loaded again.
void Host::report_crash(const keeper::Adoption& adoption) {
  if (const auto kept = adoption.stash.find(kQuarantineKey); kept != adoption.stash.end())
    if (Status restored = quarantine_.restore(kept->second.bytes); !restored.ok())
      log::warn("loader", "the list of quarantined plugins was unreadable and is empty now",
                {{"why", restored.error().message}});
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
    if (quarantined) condemned_.push_back(crumb);
  }
  store_.put(std::string(kQuarantineKey), quarantine_.serialize());
}

Status Host::prepare(keeper::Adoption& adoption, bool first) {
  report_crash(adoption);
  TENON_TRY(load_plugins(adoption, first));
  auto json = serializers_.make("json", "host");
  if (!json.ok()) return std::move(json).error().with_context("the host needs the serializer json");
  json_ = std::move(*json);
  dead_letters_.connect(system_events_, *json_, serializers_);
  TENON_TRY(load_schemas(adoption, first));
  TENON_TRY(tree_.load(*config_->supervision));
  return configure_workers();
}

Status Host::load_plugins(keeper::Adoption& adoption, bool first) {
  const std::string only = safe_mode_ ? config_->own_plugin_directory : std::string();
  TENON_TRY(first ? loader_.start() : loader_.take_over(kept_plugins(adoption, only)));
  // Without its serializer a worker cannot be talked to, and without json nobody: those are not given up.
  std::set<std::string> needed = {"json"};
  for (const auto& [id, worker] : config_->workers)
    if (worker->channel.kind != runtime::ChannelKind::none) needed.insert(worker->channel.serializer);
  for (const std::string& name : needed) {
    const loader::Component* component = loader_.registry().find(TENON_KIND_SERIALIZER, name);
    if (component != nullptr && component->current() != nullptr) continue;
    if (!tolerate_serializer(name)) continue;
    const std::string id = loader::component_id(TENON_KIND_SERIALIZER, name);
    for (const keeper::Breadcrumb& crumb : condemned_)
      if (crumb.component == id) culprits_.push_back(crumb);
  }
  return {};
}

// Uses a quarantined file again, because it alone offers the serializer. False if there is none.
bool Host::tolerate_serializer(const std::string& name) {
  const std::string id = loader::component_id(TENON_KIND_SERIALIZER, name);
  for (const loader::PluginListing& plugin : loader_.registry().list()) {
    const bool offers = std::find(plugin.components.begin(), plugin.components.end(), id) != plugin.components.end();
    if (plugin.state != loader::PluginState::quarantined || !offers || !quarantine_.tolerate(plugin.file)) continue;
    store_.put(std::string(kQuarantineKey), quarantine_.serialize());
    log::error("loader",
               "crashed too often, but nothing else offers it and the host cannot do without: it is used again; "
               "install a mended version",
               {{"file", plugin.file}, {"component", id}});
    loader_.look_again(plugin.file);
    return true;
  }
  return false;
}

Status Host::load_schemas(const keeper::Adoption& adoption, bool first) {
  if (config_->schema_mode == integration::SchemaMode::off) return validation_.load({}, *json_);
  if (const auto kept = adoption.stash.find(kSchemasKey); !first && kept != adoption.stash.end()) {
    auto texts = decode_schema_texts(kept->second.bytes);
    if (!texts.ok()) return std::move(texts).error();
    schemas_digest_ = loader::digest_of(kept->second.bytes);
    return validation_.load(*texts, *json_);
  }
  auto texts = read_schema_texts(config_->schema_directories);
  Status loaded = texts.ok() ? validation_.load(*texts, *json_) : Status(texts.error());
  if (!loaded.ok()) {
    if (first) return loaded;
    // They were too large to be kept, and are not what they were.
    log::error("message", "events are checked only against the schemas before this one; mend it and restart the host",
               {{"why", loaded.error().message}});
    return {};
  }
  keep_schemas(*texts);
  return {};
}

Status Host::configure_workers() {
  Status result;
  manager_.for_each([&](const runtime::ProcessHandle& process) {
    if (!result.ok()) return;
    logs_.configure(process.id(), process.config->log);
    const auto worker = config_->workers.find(process.id());
    const integration::WorkerConfig none;
    result = hub_.add(process.id(), process.config->base_id, worker == config_->workers.end() ? none : *worker->second);
    announce(process);
  });
  return result;
}

void Host::announce(const runtime::ProcessHandle& process) {
  hub_.set_status(process.id(), process.status, process.desired == runtime::Desired::down);
}

// Without one, an engine that dies may lose lines that it had read.
void Host::take_log_journal(keeper::Adoption& adoption) {
  const auto kept = adoption.stash.find(kLogJournalKey);
  if (kept != adoption.stash.end() && !kept->second.descriptors.empty()) {
    auto former = runtime::LogJournal::adopt(std::move(kept->second.descriptors.front()));
    if (former.ok()) return logs_.use_journal(std::move(*former));
    log::warn("logs", "lines that the former engine was reading may be missing", {{"why", former.error().message}});
  }
  auto fresh = runtime::LogJournal::make();
  if (!fresh.ok()) {
    log::warn("logs", "lines that are being read are lost with the engine", {{"why", fresh.error().message}});
    return;
  }
  store_.put(std::string(kLogJournalKey), {}, fresh->fd());
  logs_.use_journal(std::move(*fresh));
}

Status Host::start(keeper::Adoption& adoption, bool first) {
  take_log_journal(adoption);
  if (first) {
    system_events_.release();
    TENON_TRY(transports_.start());
    tree_.start();
    return {};
  }
  adopt_processes(adoption);
  transports_.take_over();  // in the same turn: nothing has been routed yet
  unclaimed_timer_ = loop_.after(kClaimWithin, [this] { listeners_.drop_unclaimed(); });
  system_events_.release();
  const std::string how = adoption.hello.previous_exit ? to_string(*adoption.hello.previous_exit) : "its end";
  alert("engine_restarted", "engine", "the engine ended (" + how + ") and was started again; the processes went on");
  if (safe_mode_)
    alert("safe_mode", "engine", "the engine could not stay up and goes on without plugins that did not come with the host; "
          "mend or remove the newest of them, then run tenon upgrade", true);
  isolate_culprits();
  return {};
}

void Host::alert(std::string_view name, std::string_view subject, const std::string& reason,
                 std::optional<bool> active) {
  system_events_.publish("system.alert", subject, [&] {
    JsonWriter json;
    json.begin_object().member("alert", name).member("reason", reason).member("subject", subject);
    if (active) json.member("active", *active);
    return json.end_object().take();
  });
}

// Nobody listens to dead letters any more, so their sum goes to the log.
void Host::report_undelivered() {
  router_.give_up_all();
  std::map<std::string, std::size_t> by_receiver;
  const std::uint64_t all = dead_letters_.count(message::DeadLetterReason::shutdown);
  if (all == 0) return;
  for (const message::DeadLetter& letter : dead_letters_.store().letters())  // the latest of them
    if (letter.reason == message::DeadLetterReason::shutdown)
      ++by_receiver[letter.receiver.empty() ? "parked" : letter.receiver];
  std::string who;
  for (const auto& [receiver, count] : by_receiver)
    who += (who.empty() ? "" : ", ") + receiver + " (" + std::to_string(count) + ")";
  log::warn("message", "the host ends with events that were not delivered; send them again",
            {{"events", all}, {"receivers", who}});
}

void Host::stop(Duration bound) {
  hub_.host_stops();
  tree_.stop_all(bound, [this](Status stopped) {
    if (!stopped.ok()) log::error("engine", stopped.error().message);
    transports_.stop(std::chrono::seconds(2), [this] {
      // Behind what the transports' last completions have posted: those events are delivered.
      loop_.post([this] {
        report_undelivered();
        if (callbacks_.all_stopped) callbacks_.all_stopped();
      });
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

void Host::refresh_processes() {
  refresh_in_flight();
  tree_.refresh_reasons();
}

void Host::refresh_in_flight() {
  std::vector<std::pair<std::string, std::uint32_t>> counts;
  manager_.for_each([&](const runtime::ProcessHandle& process) {
    const auto in_flight = static_cast<std::uint32_t>(hub_.in_flight(process.id()));
    if (in_flight != process.in_flight) counts.emplace_back(process.id(), in_flight);
  });
  for (const auto& [id, count] : counts) manager_.set_in_flight(id, count);
}

std::string Host::failed_processes() {
  constexpr int kNamed = 3;
  std::string text;
  int failed = 0;
  manager_.for_each([&](const runtime::ProcessHandle& process) {
    if (process.status != runtime::ProcessStatus::error || ++failed > kNamed) return;
    text += (text.empty() ? "" : ", ") + process.id() + " (" + process.reason + ")";
  });
  return failed > kNamed ? text + " and " + std::to_string(failed - kNamed) + " more" : text;
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
  manager_.cut_off(id, generation, "channel: " + why);
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
  if (process == nullptr || !process->pid)
    return Error(errc::not_found, "process " + std::string(id) + " does not run");
  return read_process_usage(*process->pid, out);
}

Result<MonotonicTime> Host::last_control_message(std::string_view id, std::string_view type) {
  const runtime::ProcessHandle* process = manager_.find(id);
  if (process == nullptr || !process->pid)
    return Error(errc::not_found, "process " + std::string(id) + " does not run");
  // Nothing is expected of it before its READY=1; ready.timeout bounds that.
  const bool not_yet = process->config->ready.on == runtime::ReadyOn::notify && !process->is_ready();
  if (not_yet && type == integration::NotifyHub::kWatchdog) return loop_.clock().monotonic();
  return hub_.last_control(id, type);
}

Status Host::transport_round_trip(std::string_view transport, MonotonicTime deadline,
                                  std::function<void(Status)> done) {
  return transports_.round_trip(transport, deadline, std::move(done));
}

Result<std::uint64_t> Host::listen(std::string path, std::function<void(Result<int>)> done) {
  return listeners_.open(path, std::move(done));
}

// --- message::RouterEvents ---

void Host::answer_for(std::uint64_t asker_token, const message::Event& answer) { askers_.answer(asker_token, &answer); }
void Host::request_timed_out(const message::PendingRequest& request) {
  if (!hub_.request_timed_out(request)) askers_.answer(request.asker.token, nullptr);
}
void Host::sender_released(message::ReceiverId sender) { hub_.sender_released(sender); }

void Host::event_limit_reached(bool reached) {
  const std::string limit = "limits.events (" + std::to_string(budget_.limit()) + " octets)";
  const std::string reason =
      reached ? limit + " is reached: those who send events wait; `tenon ps` shows whose mailbox is full: mend or stop "
                        "that receiver, bound its mailbox.bytes, or raise the limit"
              : limit + " has room again";
  log::warn("message", reason);
  alert("memory_limit", "limits.events", reason, reached);
}

}  // namespace tenon::app
