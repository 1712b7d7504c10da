#include "app/config_diff.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace tenon::app {

namespace {

using integration::HostConfig;
using integration::WorkerConfig;
using runtime::ProcessConfig;
using runtime::SupervisorConfig;

// The tree as a list, with who stands where.
struct Flat {
  std::vector<const SupervisorConfig*> supervisors;
  std::vector<const ProcessConfig*> processes;
  std::map<std::string, const SupervisorConfig*> supervisor_by_id;
  std::map<std::string, const ProcessConfig*> process_by_id;
  std::map<std::string, std::string> parents;  // of both

  explicit Flat(const SupervisorConfig& root) { add(root); }

 private:
  void add(const SupervisorConfig& supervisor) {
    supervisors.push_back(&supervisor);
    supervisor_by_id.emplace(supervisor.id, &supervisor);
    for (const runtime::ChildConfig& child : supervisor.children) {
      if (const auto* nested = std::get_if<std::shared_ptr<const SupervisorConfig>>(&child)) {
        parents.emplace((*nested)->id, supervisor.id);
        add(**nested);
        continue;
      }
      const ProcessConfig& process = *std::get<std::shared_ptr<const ProcessConfig>>(child);
      parents.emplace(process.id, supervisor.id);
      processes.push_back(&process);
      process_by_id.emplace(process.id, &process);
    }
  }
};

class Keys {
 public:
  void note(const char* key, bool differs) {
    if (differs) keys_.emplace_back(key);
  }
  bool empty() const noexcept { return keys_.empty(); }
  std::vector<std::string> take() { return std::move(keys_); }

 private:
  std::vector<std::string> keys_;
};

bool same_environment(const ProcessConfig& a, const ProcessConfig& b) {
  const auto shared = [](const ProcessConfig& p) { return p.shared_env ? *p.shared_env : std::vector<std::string>(); };
  return a.env == b.env && (a.shared_env == b.shared_env || shared(a) == shared(b));
}

// Not where it stands in the list: that is the supervisor's.
std::vector<std::string> keys_of_process(const ProcessConfig& a, const ProcessConfig& b, const WorkerConfig& wa,
                                         const WorkerConfig& wb) {
  Keys keys;
  keys.note("command", a.argv != b.argv);
  keys.note("cwd", a.cwd != b.cwd);
  keys.note("env", !same_environment(a, b));
  keys.note("user", a.uid != b.uid || a.gid != b.gid || a.groups != b.groups);
  keys.note("umask", a.umask != b.umask);
  keys.note("nice", a.nice != b.nice);
  keys.note("no_new_privileges", a.no_new_privileges != b.no_new_privileges);
  keys.note("capabilities", a.capabilities != b.capabilities);
  keys.note("private_tmp", a.private_tmp != b.private_tmp);
  keys.note("io_class", a.io_priority != b.io_priority);
  keys.note("limits", a.limits != b.limits);
  keys.note("sockets", a.sockets != b.sockets);
  keys.note("channel", wa.channel != wb.channel);
  keys.note("subscribe", wa.subscribe != wb.subscribe);
  keys.note("publish", wa.publish != wb.publish || wa.may_publish != wb.may_publish);
  keys.note("echo", wa.echo != wb.echo);
  keys.note("mailbox", wa.mailbox != wb.mailbox);
  keys.note("delivery", wa.delivery != wb.delivery);
  keys.note("ready", a.ready != b.ready);
  keys.note("restart", a.restart != b.restart);
  keys.note("health", a.health != b.health);
  keys.note("stop", a.stop != b.stop);
  keys.note("log", a.log != b.log);
  keys.note("significant", a.significant != b.significant);
  keys.note("depends_on", a.depends_on != b.depends_on);
  return keys.take();
}

std::vector<std::string> child_ids(const SupervisorConfig& supervisor) {
  std::vector<std::string> ids;
  for (const runtime::ChildConfig& child : supervisor.children) {
    if (const auto* nested = std::get_if<std::shared_ptr<const SupervisorConfig>>(&child)) ids.push_back((*nested)->id);
    else ids.push_back(std::get<std::shared_ptr<const ProcessConfig>>(child)->id);
  }
  return ids;
}

// The children that are in both, in another order: it is the order of starts and stops where a strategy has one.
bool reordered(const SupervisorConfig& a, const SupervisorConfig& b) {
  std::vector<std::string> before = child_ids(a), after = child_ids(b);
  const std::set<std::string> old_ids(before.begin(), before.end()), new_ids(after.begin(), after.end());
  std::erase_if(before, [&](const std::string& id) { return !new_ids.contains(id); });
  std::erase_if(after, [&](const std::string& id) { return !old_ids.contains(id); });
  return before != after;
}

std::vector<std::string> keys_of_supervisor(const SupervisorConfig& a, const SupervisorConfig& b) {
  Keys keys;
  keys.note("strategy", a.strategy != b.strategy);
  keys.note("intensity",
            a.intensity.restarts != b.intensity.restarts || a.intensity.period != b.intensity.period);
  keys.note("on_limit", a.on_limit != b.on_limit);
  keys.note("auto_shutdown", a.auto_shutdown != b.auto_shutdown);
  keys.note("significant", a.significant != b.significant);
  keys.note("depends_on", a.depends_on != b.depends_on);
  keys.note("children", reordered(a, b));
  return keys.take();
}

std::vector<std::string> keys_of_transport(const integration::TransportConfig& a,
                                           const integration::TransportConfig& b) {
  Keys keys;
  keys.note("plugin", a.plugin != b.plugin);
  keys.note("url", a.url != b.url);
  keys.note("timeout", a.timeout != b.timeout);
  keys.note("retry_attempts", a.retry_attempts != b.retry_attempts);
  keys.note("serializer", a.serializer != b.serializer);
  keys.note("pool", a.pool != b.pool);
  keys.note("circuit_breaker", a.circuit_breaker != b.circuit_breaker);
  keys.note("health_check", a.health_interval != b.health_interval || a.health_timeout != b.health_timeout);
  keys.note("config", a.config != b.config);
  return keys.take();
}

class Comparison {
 public:
  Comparison(const HostConfig& now, const HostConfig& fresh)
      : now_(now), fresh_(fresh), before_(*now.supervision), after_(*fresh.supervision) {}

  std::vector<ConfigChange> run() {
    host();
    transports();
    supervisors();
    processes();
    gone();
    return std::move(changes_);
  }

 private:
  void add(std::string section, std::string name, ChangeEffect effect, std::vector<std::string> keys = {}) {
    changes_.push_back({std::move(section), std::move(name), effect, std::move(keys)});
  }

  void host() {
    Keys at_once, later;
    at_once.note("logging", now_.log_level != fresh_.log_level || now_.log_format != fresh_.log_format);
    at_once.note("engine.hang_timeout", now_.hang_timeout != fresh_.hang_timeout);
    at_once.note("limits.events", now_.event_limit != fresh_.event_limit);
    at_once.note("request_timeout", now_.request_timeout != fresh_.request_timeout);
    at_once.note("block_for", now_.block_for != fresh_.block_for);
    at_once.note("dead_letters", now_.dead_letter_capacity != fresh_.dead_letter_capacity);
    later.note("node", now_.node != fresh_.node);
    later.note("control", now_.control != fresh_.control);
    later.note("plugins",
               now_.plugin_directories != fresh_.plugin_directories || now_.watch_plugins != fresh_.watch_plugins);
    if (!at_once.empty()) add("host", "host", ChangeEffect::applied, at_once.take());
    if (!later.empty()) add("host", "host", ChangeEffect::next_run, later.take());
    Keys schemas;
    schemas.note("directories", now_.schema_directories != fresh_.schema_directories);
    schemas.note("mode", now_.schema_mode != fresh_.schema_mode);
    if (!schemas.empty()) add("schemas", "schemas", ChangeEffect::applied, schemas.take());
  }

  void transports() {
    for (const integration::TransportConfig& transport : fresh_.transports)
      if (const auto* known = find(now_.transports, transport.name); known == nullptr)
        add("transport", transport.name, ChangeEffect::started);
      else if (*known != transport)
        add("transport", transport.name, ChangeEffect::restarted, keys_of_transport(*known, transport));
    for (const integration::TransportConfig& transport : now_.transports)
      if (find(fresh_.transports, transport.name) == nullptr) add("transport", transport.name, ChangeEffect::stopped);
    for (const integration::RouteConfig& route : fresh_.routes)
      if (!has(now_.routes, route)) add("route", route.topic, ChangeEffect::started);
    for (const integration::RouteConfig& route : now_.routes)
      if (!has(fresh_.routes, route)) add("route", route.topic, ChangeEffect::stopped);
  }

  void supervisors() {
    for (const SupervisorConfig* supervisor : after_.supervisors) {
      const auto known = before_.supervisor_by_id.find(supervisor->id);
      if (known == before_.supervisor_by_id.end()) {
        add("supervisor", supervisor->id, ChangeEffect::started);
        continue;
      }
      auto keys = keys_of_supervisor(*known->second, *supervisor);
      if (moved(supervisor->id)) keys.emplace_back("supervisor");
      if (!keys.empty()) add("supervisor", supervisor->id, ChangeEffect::applied, std::move(keys));
    }
  }

  void processes() {
    static const WorkerConfig none;
    const auto worker = [](const HostConfig& config, const std::string& id) -> const WorkerConfig& {
      const auto found = config.workers.find(id);
      return found == config.workers.end() ? none : *found->second;
    };
    for (const ProcessConfig* process : after_.processes) {
      const auto known = before_.process_by_id.find(process->id);
      if (known == before_.process_by_id.end()) {
        add("process", process->id, ChangeEffect::started);
        continue;
      }
      const bool restart = known->second->start_digest != process->start_digest;
      auto keys = keys_of_process(*known->second, *process, worker(now_, process->id), worker(fresh_, process->id));
      if (moved(process->id)) keys.emplace_back("supervisor");
      if (!keys.empty() || restart)
        add("process", process->id, restart ? ChangeEffect::restarted : ChangeEffect::applied, std::move(keys));
    }
  }

  void gone() {
    for (const ProcessConfig* process : before_.processes)
      if (!after_.process_by_id.contains(process->id)) add("process", process->id, ChangeEffect::stopped);
    for (const SupervisorConfig* supervisor : before_.supervisors)
      if (!after_.supervisor_by_id.contains(supervisor->id)) add("supervisor", supervisor->id, ChangeEffect::stopped);
  }

  bool moved(const std::string& id) const {
    const auto before = before_.parents.find(id), after = after_.parents.find(id);
    return before != before_.parents.end() && after != after_.parents.end() && before->second != after->second;
  }

  static const integration::TransportConfig* find(const std::vector<integration::TransportConfig>& all,
                                                  const std::string& name) {
    for (const integration::TransportConfig& one : all)
      if (one.name == name) return &one;
    return nullptr;
  }

  static bool has(const std::vector<integration::RouteConfig>& all, const integration::RouteConfig& route) {
    return std::find(all.begin(), all.end(), route) != all.end();
  }
  const HostConfig& now_;
  const HostConfig& fresh_;
  Flat before_, after_;
  std::vector<ConfigChange> changes_;
};

}  // namespace

std::string_view to_string(ChangeEffect effect) noexcept {
  switch (effect) {
    case ChangeEffect::started: return "started";
    case ChangeEffect::stopped: return "stopped";
    case ChangeEffect::restarted: return "restarted";
    case ChangeEffect::next_start: return "next_start";
    case ChangeEffect::applied: return "applied";
    case ChangeEffect::next_run: return "next_run";
  }
  return "unknown";
}

std::vector<ConfigChange> compare_configs(const HostConfig& now, const HostConfig& fresh) {
  return Comparison(now, fresh).run();
}

void write_changes(JsonWriter& json, const std::vector<ConfigChange>& changes) {
  json.begin_array();
  for (const ConfigChange& change : changes) {
    json.begin_object().member("section", change.section).member("name", change.name);
    json.member("effect", to_string(change.effect)).key("keys").begin_array();
    for (const std::string& key : change.keys) json.value(key);
    json.end_array().end_object();
  }
  json.end_array();
}

}  // namespace tenon::app
