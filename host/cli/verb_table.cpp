#include "cli/verb_table.hpp"

#include <algorithm>
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
    {Verb::top, "top", "watch the processes, live and full screen; h shows the keys",
     "tenon top\n  tenon top --interval 5s --sort memory\n  tenon top -n 3 > usage.txt\n"
     "  tenon top --json | jq -c '.[] | select(.cpu_percent > 50) | .id'"},
    {Verb::status, "status", "show processes in full", "tenon status counter.1\n  tenon status 'counter.*'"},
    {Verb::start, "start", "start processes", "tenon start counter.1"},
    {Verb::stop, "stop", "stop processes", "tenon stop 'counter.*'\n  tenon stop pipeline --no-wait"},
    {Verb::restart, "restart", "restart processes", "tenon restart counter.1 feeder"},
    {Verb::pause, "pause", "pause processes: what is addressed to them waits", "tenon pause counter.2"},
    {Verb::resume, "resume", "resume paused processes", "tenon resume counter.2"},
    {Verb::kill, "kill", "send processes a signal", "tenon kill --signal HUP counter.1"},
    {Verb::logs, "logs", "print what processes wrote, in the order of time",
     "tenon logs counter.1 -n 50\n  tenon logs counter feeder -f"},
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
    {Verb::reload, "reload", "read the config again and apply what changed, only that", "tenon reload"},
    {Verb::diff, "diff", "show what a reload with this config would do", "tenon diff tenon.json"},
    {Verb::scale, "scale", "run more or fewer replicas of a child", "tenon scale counter 5"},
    {Verb::upgrade, "upgrade", "go on with an engine of the installed binary; no process is touched", "tenon upgrade"},
    {Verb::shutdown, "shutdown", "stop everything in reverse order, then the host", "tenon shutdown"},
};

// Documented for the finished tool; asked for by people who read that.
constexpr std::string_view kLater[] = {"replay",     "trace",            "schema",             "plugin check",
                                       "plugin new", "deadletters show", "deadletters replay", "deadletters drop"};

}  // namespace

std::span<const VerbEntry> verb_table() noexcept { return kTable; }

const VerbEntry& entry_of(Verb verb) noexcept {
  for (const VerbEntry& entry : kTable) {
    if (entry.verb == verb) return entry;
  }
  std::abort();  // a verb without an entry cannot have been parsed
}

std::string wrong_with_verb(std::span<const std::string_view> words) {
  if (words.empty()) return {};
  std::string asked(words.front());
  std::vector<std::string_view> names, members;  // first words, and whole names of the group that was named
  for (const VerbEntry& entry : kTable) {
    const std::string_view first = entry.name.substr(0, entry.name.find(' '));
    if (entry.name == asked) return {};
    if (first == asked) members.push_back(entry.name);
    if (names.empty() || names.back() != first) names.push_back(first);
  }
  if (!members.empty()) {
    if (words.size() == 1) return {};  // its own help says what is missing
    asked += ' ' + std::string(words[1]);
    if (std::find(members.begin(), members.end(), asked) != members.end()) return {};
    names = members;
  }
  if (std::find(std::begin(kLater), std::end(kLater), asked) != std::end(kLater))
    return quote_for_message(asked) + " comes with a later version of tenon";
  const auto near = nearest_name(asked, names);
  std::string problem = "there is no verb " + quote_for_message(asked);
  if (near) return problem + "; did you mean " + std::string(*near) + "?";
  return members.empty() ? problem : problem + "; there is " + join(members, " and ");
}

}  // namespace tenon::cli
