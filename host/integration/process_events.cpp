#include "integration/process_events.hpp"

#include <chrono>

#include "common/json_writer.hpp"
#include "common/logging.hpp"
#include "common/units.hpp"

namespace tenon::integration {

namespace {

// What every event about a process begins with.
JsonWriter about(const runtime::ProcessHandle& process, std::int64_t former_pid = 0) {
  JsonWriter json;
  json.begin_object().member("process", process.id()).member("supervisor", process.supervisor);
  json.member("generation", process.generation);
  json.key("pid");
  const std::int64_t pid = process.pid ? *process.pid : former_pid;
  if (pid != 0) json.value(pid);
  else json.null();
  return json;
}

}  // namespace

void ProcessEvents::on_status_changed(const runtime::ProcessHandle& process, runtime::ProcessStatus old_status) {
  log::debug("runtime", "status", {{"process", process.id()}, {"from", to_string(old_status)},
                                   {"to", to_string(process.status)}, {"reason", process.reason}});
  hub_.set_status(process.id(), process.status, process.desired == runtime::Desired::down);
}

void ProcessEvents::on_starting(const runtime::ProcessHandle& process) {
  log::info("runtime", "started", {{"process", process.id()}, {"pid", process.pid.value_or(0)}});
  events_.publish("system.process.starting", process.id(), [&] { return about(process).end_object().take(); });
}

void ProcessEvents::on_ready(const runtime::ProcessHandle& process) {
  log::debug("runtime", "ready", {{"process", process.id()}});
  events_.publish("system.process.ready", process.id(), [&] { return about(process).end_object().take(); });
}

void ProcessEvents::on_exited(const runtime::ProcessHandle& process, const runtime::ExitRecord& exit) {
  const bool expected = exit.success() || process.status == runtime::ProcessStatus::stopping;
  log::write(expected ? log::Level::info : log::Level::warn, "runtime", "exited",
             {{"process", process.id()}, {"how", to_string(exit)}, {"run_time_ms", whole_milliseconds(exit.run_time)}});
  events_.publish("system.process.exited", process.id(), [&] {
    JsonWriter json = about(process, exit.pid);
    json.member("how", to_string(exit)).key("code");
    if (exit.status.signal == 0) json.value(static_cast<std::int64_t>(exit.status.code));
    else json.null();
    json.member("signal", exit.status.signal);
    json.member("run_time_ms", whole_milliseconds(exit.run_time)).member("was_ready", exit.was_ready);
    json.member("max_resident_bytes", exit.usage.max_resident_bytes);
    json.member("cpu_ms", whole_milliseconds(exit.usage.user_cpu + exit.usage.system_cpu));
    return json.end_object().take();
  });
}

void ProcessEvents::on_restarting(const runtime::ProcessHandle& process, const runtime::RestartNotice& notice) {
  log::info("runtime", "restarting", {{"process", process.id()}, {"in_ms", whole_milliseconds(notice.delay)},
                                      {"why", notice.reason}, {"restarts", process.total_restarts}});
  events_.publish("system.process.restarting", process.id(), [&] {
    JsonWriter json = about(process);
    json.member("reason", notice.reason).member("delay_ms", whole_milliseconds(notice.delay));
    json.member("attempt", notice.attempt)
        .member("limit", notice.limit)
        .member("period_ms", whole_milliseconds(notice.period));
    return json.end_object().take();
  });
}

void ProcessEvents::on_failed(const runtime::ProcessHandle& process) {
  log::error("runtime", "gave up", {{"process", process.id()}, {"reason", process.reason}});
  sockets_.look_soon();
  events_.publish("system.process.failed", process.id(),
                  [&] { return about(process).member("reason", process.reason).end_object().take(); });
}

void ProcessEvents::on_stopped(const runtime::ProcessHandle& process) {
  log::info("runtime", "stopped", {{"process", process.id()}, {"reason", process.reason}});
  sockets_.look_soon();
  events_.publish("system.process.stopped", process.id(),
                  [&] { return about(process).member("reason", process.reason).end_object().take(); });
}

void ProcessEvents::on_health_changed(const runtime::ProcessHandle& process, const runtime::HealthChange& change) {
  log::info("runtime", "health",
            {{"process", process.id()},
             {"check", change.check},
             {"role", to_string(change.role)},
             {"ready", process.is_ready()},
             {"health", to_string(change.now.state)},
             {"reason", change.now.reason}});
  events_.publish("system.health.changed", process.id(), [&] {
    JsonWriter json = about(process);
    json.member("check", change.check).member("role", to_string(change.role));
    json.member("health", to_string(change.now.state)).member("reason", change.now.reason);
    json.member("ready", process.is_ready());
    return json.end_object().take();
  });
}

void ProcessEvents::on_policy_misbehaved(const runtime::ProcessHandle& process, const std::string& component,
                                         const Error& what) {
  log::warn("plugin", "misbehaved", {{"component", component}, {"process", process.id()}, {"what", what.message}});
  events_.publish("system.plugin.misbehaved", component, [&] {
    JsonWriter json;
    json.begin_object().member("component", component).member("process", process.id()).member("reason", what.message);
    return json.end_object().take();
  });
}

void ProcessEvents::on_supervisor_escalated(const std::string& supervisor, const std::string& reason) {
  log::error("runtime", "supervisor escalated", {{"supervisor", supervisor}, {"reason", reason}});
  events_.publish("system.supervisor.escalated", supervisor, [&] {
    return JsonWriter().begin_object().member("supervisor", supervisor).member("reason", reason).end_object().take();
  });
}

void ProcessEvents::on_supervisor_stopped(const std::string& supervisor, const std::string& reason) {
  log::warn("runtime", "supervisor stopped", {{"supervisor", supervisor}, {"reason", reason}});
  events_.publish("system.supervisor.stopped", supervisor, [&] {
    return JsonWriter().begin_object().member("supervisor", supervisor).member("reason", reason).end_object().take();
  });
}

}  // namespace tenon::integration
