#include "cli/verb_table.hpp"

#include <cstdlib>
#include <vector>

#include "common/text.hpp"

namespace tenon::cli {

namespace {

constexpr VerbEntry kTable[] = {
    {Verb::run, "run", "run the host in the foreground",
     "tenon run tenon.json\n  tenon run demo.json --until-idle\n  tenon run tenon.json --for 30s"},
    {Verb::check, "check", "validate a config and everything that it names", "tenon check tenon.json"},
    {Verb::info, "info", "show the host itself: version, pids, uptime, socket", "tenon info --json"},
    {Verb::ps, "ps", "list the processes", "tenon ps"},
    {Verb::tree, "tree", "show the supervision tree", "tenon tree"},
    {Verb::status, "status", "show one process in full", "tenon status counter.1"},
    {Verb::start, "start", "start processes", "tenon start counter.1"},
    {Verb::stop, "stop", "stop processes", "tenon stop 'counter.*'\n  tenon stop pipeline --no-wait"},
    {Verb::restart, "restart", "restart processes", "tenon restart counter.1 feeder"},
    {Verb::pause, "pause", "pause processes: what is addressed to them waits", "tenon pause counter.2"},
    {Verb::resume, "resume", "resume paused processes", "tenon resume counter.2"},
    {Verb::kill, "kill", "send processes a signal", "tenon kill --signal HUP counter.1"},
    {Verb::logs, "logs", "print a process's captured output", "tenon logs counter.1 -n 50\n  tenon logs counter.1 -f"},
    {Verb::send, "send", "publish an event",
     "tenon send task.assignment --data '{\"file\":\"a.txt\"}'\n  echo '[1,2]' | tenon send numbers -"},
    {Verb::request, "request", "publish an event, wait for the reply and print it",
     "tenon request task.count --data '\"a.txt\"' --timeout 5s"},
    {Verb::tail, "tail", "print matching events as they pass",
     "tenon tail 'task.>'\n  tenon tail system.process.exited -n 1 --json"},
    {Verb::routes, "routes", "show what goes where", "tenon routes"},
    {Verb::transports, "transports", "show connections, pools and circuits", "tenon transports"},
    {Verb::health, "health", "show every health check with its last results", "tenon health"},
    {Verb::plugin_list, "plugin list", "list plugins: what is loaded, from where, and what was refused",
     "tenon plugin list"},
    {Verb::plugin_info, "plugin info", "show a plugin file's identity without running its code",
     "tenon plugin info ./nats.so"},
    {Verb::dead_letters_list, "deadletters list", "list what could not be delivered, and why",
     "tenon deadletters list -n 20"},
    {Verb::shutdown, "shutdown", "stop everything in reverse order, then the host", "tenon shutdown"},
};

}  // namespace

std::span<const VerbEntry> verb_table() noexcept { return kTable; }

const VerbEntry& entry_of(Verb verb) noexcept {
  for (const VerbEntry& entry : kTable) {
    if (entry.verb == verb) return entry;
  }
  std::abort();  // a verb without an entry cannot have been parsed
}

std::optional<std::string> nearest_verb(std::string_view word) {
  std::vector<std::string_view> names;
  for (const VerbEntry& entry : kTable) {
    const std::string_view first = entry.name.substr(0, entry.name.find(' '));
    if (names.empty() || names.back() != first) names.push_back(first);
  }
  const auto found = nearest_name(word, names);
  return found ? std::optional<std::string>(*found) : std::nullopt;
}

}  // namespace tenon::cli
