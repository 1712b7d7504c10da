#include "app/host_documents.hpp"

#include <deque>
#include <map>

#include "app/config_address.hpp"
#include "app/process_usage.hpp"
#include "common/rfc3339.hpp"
#include "common/units.hpp"

namespace tenon::app {

namespace {

// A moment of the monotonic clock as people want to read it.
std::string wall_text(Host& host, MonotonicTime when) {
  const Clock& clock = host.loop().clock();
  return format_rfc3339(clock.wall() - (clock.monotonic() - when)).str();
}

void write_usage(JsonWriter& json, const runtime::ProcessHandle& process) {
  tenon_usage usage{};
  const bool known = process.pid && read_process_usage(*process.pid, usage).ok();
  json.key("memory_bytes");
  if (known) json.value(usage.memory_bytes);
  else json.null();
  json.key("cpu_seconds");
  if (known) json.value(static_cast<double>(usage.cpu_ns) / 1e9);
  else json.null();
}

void write_mailbox(JsonWriter& json, Host& host, const runtime::ProcessHandle& process) {
  const message::ReceiverId id = host.workers().receiver(process.id());
  json.key("mailbox").begin_object();
  if (id != message::kNoReceiver) {
    const message::MessageDispatcher& dispatcher = host.router().dispatcher();
    const message::ReceiverConfig& config = dispatcher.config(id);
    const message::ReceiverCounters& counters = dispatcher.counters(id);
    // What waits for it, in its own queue or in those of its groups, which it shares.
    std::size_t depth = dispatcher.mailbox(id).size();
    std::uint64_t dropped = counters.dropped, rejected = counters.rejected;
    std::map<std::string_view, std::size_t> groups;
    for (const message::GroupId group : dispatcher.groups_of(id)) {
      depth += dispatcher.group_depth(group);
      dropped += dispatcher.group_counters(group).dropped;
      rejected += dispatcher.group_counters(group).rejected;
      groups[dispatcher.group_name(group)] += dispatcher.group_depth(group);
    }
    json.member("depth", depth).member("capacity", config.mailbox.capacity);
    json.member("dropped", dropped).member("rejected", rejected).member("bytes", dispatcher.mailbox(id).bytes());
    json.key("groups").begin_object();
    for (const auto& [name, waiting] : groups) json.member(name, waiting);
    json.end_object();
    json.member("in_flight", dispatcher.in_flight(id)).member("delivered", counters.delivered);
    json.member("redelivered", counters.redelivered).member("settled", counters.settled);
    json.member("overflow", to_string(config.mailbox.overflow));
  } else {
    json.member("depth", 0).member("capacity", 0).member("dropped", 0);
  }
  json.end_object();
}

// As a sender that waits for a full receiver; null: it does not.
void write_parked(JsonWriter& json, Host& host, const runtime::ProcessHandle& process) {
  json.key("parked");
  const message::ReceiverId id = host.workers().receiver(process.id());
  const auto parked = id == message::kNoReceiver ? std::nullopt : host.router().parked(id);
  if (!parked) {
    json.null();
    return;
  }
  json.begin_object().member("waits_for", parked->receiver);
  json.member("limit", parked->event_limit ? "limits.events" : "mailbox");
  json.member("events", parked->events).member("bytes", parked->bytes);
  json.member("waiting_ms", whole_milliseconds(host.loop().clock().monotonic() - parked->since)).end_object();
}

std::string_view text_of(runtime::ChannelKind kind) noexcept {
  switch (kind) {
    case runtime::ChannelKind::none: break;
    case runtime::ChannelKind::stdio: return "stdio";
    case runtime::ChannelKind::socket: return "socket";
  }
  return "none";
}

// null for an end: there is no channel now.
void write_channel(JsonWriter& json, Host& host, const runtime::ProcessHandle& process) {
  const integration::WorkerConfig* config = host.workers().config(process.id());
  const auto closed = host.workers().closed_ends(process.id());
  const auto end = [&](const char* key, bool is_closed) {
    json.key(key);
    if (closed) json.value(is_closed);
    else json.null();
  };
  json.key("channel").begin_object();
  json.member("kind", text_of(config == nullptr ? runtime::ChannelKind::none : config->channel.kind));
  end("input_closed", closed && closed->input);
  end("output_closed", closed && closed->output);
  json.end_object();
}

void write_exit(JsonWriter& json, Host& host, const runtime::ExitRecord& exit) {
  json.begin_object().member("how", to_string(exit)).member("at", wall_text(host, exit.at));
  json.member("run_time_ms", whole_milliseconds(exit.run_time)).member("max_resident_bytes", exit.usage.max_resident_bytes);
  json.member("cpu_seconds", static_cast<double>((exit.usage.user_cpu + exit.usage.system_cpu).count()) / 1e9).end_object();
}

void write_history(JsonWriter& json, Host& host, const runtime::ProcessHandle& process) {
  json.key("history").begin_array();
  if (process.history != nullptr)
    for (const runtime::RestartRecord& record : *process.history) {
      json.begin_object().member("at", wall_text(host, record.at)).member("reason", record.reason);
      json.member("delay_ms", whole_milliseconds(record.delay)).member("generation", record.generation).end_object();
    }
  json.end_array();
}

void write_limits(JsonWriter& json, const runtime::ResourceLimits& limits) {
  json.key("limits").begin_object();
  if (limits.memory_bytes) json.member("memory_bytes", *limits.memory_bytes);
  if (limits.cpu) json.member("cpu", *limits.cpu);
  if (limits.processes) json.member("processes", *limits.processes);
  if (limits.open_files) json.member("open_files", *limits.open_files);
  if (limits.core_bytes) json.member("core_bytes", *limits.core_bytes);
  json.end_object();
}

std::string place_of(const runtime::SocketConfig& socket) {
  if (socket.inherit) return "passed to the host";
  if (!socket.path.empty()) return socket.path;
  return to_string(IpAndPort{socket.address, socket.port});
}

void write_detail(JsonWriter& json, Host& host, const runtime::ProcessHandle& process) {
  json.member("generation", process.generation).member("desired", to_string(process.desired));
  json.member("outdated", host.processes().outdated(process.id()));
  json.member("phase", to_string(process.phase)).member("worker_status", process.worker_status);
  json.key("command").begin_array();
  const runtime::ProcessConfig& config = *process.config;
  for (const std::string& argument : config.shown_command.empty() ? config.argv : config.shown_command)
    json.value(argument);
  json.end_array().member("cwd", process.config->cwd);
  json.key("sockets").begin_array();
  for (const runtime::SocketConfig& socket : config.sockets) json.value(socket.name + " " + place_of(socket));
  json.end_array();
  json.key("last_exit");
  if (process.last_exit) write_exit(json, host, *process.last_exit);
  else json.null();
  write_history(json, host, process);
  write_limits(json, process.config->limits);
  json.key("checks");
  write_health(json.begin_array(), host, process);
  json.end_array();
  write_channel(json, host, process);
  json.member("events_in", host.workers().events_in(process.id())).member("log_lines", host.workers().log_lines(process.id()));
}

}  // namespace

std::string_view reason_of(const runtime::ProcessHandle& process) noexcept {
  const bool out_of_service = process.phase == runtime::ProcessPhase::running && !process.paused() && !process.is_ready();
  if (out_of_service) return process.not_ready;
  if (!process.reason.empty()) return process.reason;
  if (process.health && !process.health->reason.empty()) return process.health->reason;
  return process.worker_status;
}

void write_process(JsonWriter& json, Host& host, const runtime::ProcessHandle& process, bool detail) {
  json.begin_object().member("id", process.id()).member("status", to_string(process.status));
  json.member("reason", reason_of(process)).key("pid");
  if (process.pid) json.value(static_cast<std::int64_t>(*process.pid));
  else json.null();
  json.member("restarts", process.total_restarts).key("uptime_ms");
  if (process.pid) json.value(whole_milliseconds(host.loop().clock().monotonic() - process.spawned));
  else json.null();
  json.key("health");
  if (process.health) json.value(to_string(process.health->state));
  else json.null();
  json.member("supervisor", process.supervisor);
  write_mailbox(json, host, process);
  write_parked(json, host, process);
  write_usage(json, process);
  if (detail) write_detail(json, host, process);
  json.end_object();
}

void write_outcomes(JsonWriter& json, Host& host, const std::vector<runtime::VerbOutcome>& outcomes) {
  json.begin_array();
  for (const runtime::VerbOutcome& outcome : outcomes) {
    json.begin_object().member("id", outcome.id).member("ok", outcome.status.ok());
    if (!outcome.status.ok()) json.member("error", outcome.status.error().message);
    json.member("status", to_string(host.processes().status(outcome.id))).end_object();
  }
  json.end_array();
}

void write_tree(JsonWriter& json, Host& host, const runtime::Supervisor& supervisor) {
  json.begin_object().member("id", supervisor.id).member("strategy", to_string(supervisor.rules.strategy));
  json.member("auto_shutdown", to_string(supervisor.rules.auto_shutdown));
  json.member("state", to_string(supervisor.state)).member("reason", supervisor.reason);
  json.member("restarts", supervisor.restarts).key("children").begin_array();
  for (const runtime::Supervisor::Child& child : supervisor.children) {
    if (!child.is_process()) {
      write_tree(json, host, *child.supervisor);
      continue;
    }
    const runtime::ProcessHandle* process = host.processes().find(child.process);
    if (process == nullptr) continue;
    json.begin_object().member("id", process->id()).member("status", to_string(process->status));
    json.member("reason", reason_of(*process)).key("pid");
    if (process->pid) json.value(static_cast<std::int64_t>(*process->pid));
    else json.null();
    json.member("restarts", process->total_restarts).end_object();
  }
  json.end_array().end_object();
}

void write_health(JsonWriter& json, Host& host, const runtime::ProcessHandle& process) {
  static const std::deque<runtime::HealthResult> none;
  for (const runtime::ProcessManager::Check& check : host.processes().checks(process.id())) {
    const runtime::HealthMonitor* monitor = check.monitor;
    json.begin_object().member("process", process.id()).member("check", check.config.check);
    json.member("role", to_string(check.config.role)).key("state");
    const auto status = monitor != nullptr && check.problem.empty() ? monitor->status() : std::nullopt;
    if (status) json.value(to_string(status->state));
    else json.null();
    std::string_view reason = status ? std::string_view(status->reason) : check.problem;
    if (check.waits_for_startup) reason = "not asked before the startup check has succeeded";
    json.member("reason", reason);
    json.member("timeouts", monitor != nullptr ? monitor->timeouts() : 0);
    json.key("results").begin_array();
    for (const runtime::HealthResult& result : monitor != nullptr ? monitor->results() : none) {
      json.begin_object().member("at", wall_text(host, result.at)).member("state", to_string(result.outcome));
      json.member("latency_ms", static_cast<double>(result.latency.count()) / 1e6);
      json.member("reason", result.reason == nullptr ? std::string_view() : std::string_view(*result.reason)).end_object();
    }
    json.end_array().end_object();
  }
}

void write_plugins(JsonWriter& json, const loader::PluginRegistry& registry) {
  json.begin_array();
  for (const loader::PluginListing& plugin : registry.list()) {
    json.begin_object().member("name", plugin.name).member("version", plugin.version).member("file", plugin.file);
    json.member("state", to_string(plugin.state)).member("reason", plugin.reason).key("components").begin_array();
    for (const std::string& component : plugin.components) json.value(component);
    json.end_array().end_object();
  }
  json.end_array();
}

// Subscriptions of processes first, then the config's routes to and from transports.
void write_routes(JsonWriter& json, Host& host) {
  std::unordered_map<message::ReceiverId, std::string> names;
  host.processes().for_each([&](const runtime::ProcessHandle& process) {
    names[host.workers().receiver(process.id())] = process.id();
  });
  json.begin_array();
  for (const message::Subscription& s : host.router().table().list()) {
    const auto name = names.find(s.subscriber);
    if (name == names.end()) continue;
    json.begin_object().member("topic", s.pattern).member("to", name->second).member("kind", "process");
    json.member("group", s.group).end_object();
  }
  if (auto document = JsonDocument::parse(host.transports().routes_json(), "routes"); document.ok())
    for (const JsonValue route : document->root().elements()) json.raw(route.raw());
  json.end_array();
}

void write_dead_letters(JsonWriter& json, Host& host, std::size_t limit) {
  json.begin_array();
  const auto& letters = host.dead_letters().store().letters();
  const std::size_t skip = letters.size() > limit ? letters.size() - limit : 0;
  for (std::size_t i = skip; i < letters.size(); ++i) {
    const message::DeadLetter& letter = letters[i];
    json.begin_object().member("number", letter.number).member("reason", to_string(letter.reason));
    json.member("receiver", letter.receiver).member("sender", letter.sender).member("detail", letter.detail);
    json.member("attempts", letter.attempts);
    message::write_history(json.key("history"), letter.history);
    json.member("time", format_rfc3339(letter.when).view());
    const message::BaseMessageEnvelope& e = letter.message.event().envelope;
    json.member("id", e.id).member("type", e.type).member("topic", e.effective_topic()).end_object();
  }
  json.end_array();
}

}  // namespace tenon::app
