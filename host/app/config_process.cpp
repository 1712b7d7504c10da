// A child that runs a program: its command, its user, its replicas.
#include <algorithm>
#include <filesystem>

#include "app/config_confinement.hpp"
#include "app/config_environment.hpp"
#include "app/config_lifecycle.hpp"
#include "app/config_sockets.hpp"
#include "app/config_worker.hpp"
#include "app/start_digest.hpp"
#include "common/text.hpp"

namespace tenon::app {

using integration::WorkerConfig;
using runtime::ChannelKind;
using runtime::HealthRole;
using runtime::ProcessConfig;
using runtime::ReadyOn;

namespace {

constexpr std::size_t kMaxArguments = 4096;
constexpr std::size_t kMaxArgument = 128 * 1024 - 1;  // the kernel's MAX_ARG_STRLEN without the NUL
constexpr std::string_view kIdPlaceholder = "{id}";

struct ProcessDraft {
  ConfigDraft& all;
  ProcessConfig process = {};
  WorkerConfig worker = {};
  EnvironmentDraft environment = {};
  std::optional<std::uint32_t> replicas = {};
};

void read_argument(ConfigReader& reader, const JsonValue& at, ProcessDraft& out) {
  std::string argument;
  if (!reader.text(at, argument)) return;
  std::vector<std::string>& argv = out.process.argv;
  if (argument.size() > kMaxArgument) {
    reader.refuse(at, "the argument is longer than 128 KiB, which the kernel does not take; put it into a file");
  } else if (argv.empty() && argument.empty()) {
    reader.wrong(at, "the program to run");
  } else if (argv.empty() && argument.find('/') != argument.npos) {
    // Kept from being looked up in `cwd`: paths are relative to the file.
    reader.path(at, argument);
    argv.push_back(std::move(argument));
  } else {
    argv.push_back(std::move(argument));
  }
  if (argv.empty()) return;
  const std::string_view written = at.as_string().value_or("");
  const bool has_variable = written.find('$') != written.npos;
  out.process.shown_command.push_back(has_variable ? std::string(written) : argv.back());
}

void read_command(ConfigReader& reader, const JsonValue& at, ProcessDraft& out) {
  const char* expected = "an array such as [\"./counter\", \"--fast\"]";
  if (!at.is_array() || at.size() == 0) {
    reader.wrong(at, expected);
    return;
  }
  reader.array(at, kMaxArguments, "arguments", [&](const JsonValue& one) { read_argument(reader, one, out); });
  if (out.process.shown_command == out.process.argv) out.process.shown_command.clear();
}

void read_cwd(ConfigReader& reader, const JsonValue& at, ProcessDraft& out) {
  if (!reader.path(at, out.process.cwd)) return;
  const std::string wrong = reader.machine().wrong_with_directory(out.process.cwd);
  if (!wrong.empty()) reader.doubt(at, wrong, "a directory");
}

void read_user(ConfigReader& reader, const JsonValue& at, ProcessDraft& out) {
  std::string name;
  if (!reader.nonempty(at, name, "a user's name")) return;
  const auto user = reader.machine().user(name);
  if (!user) {
    reader.refuse(at, user.error().message, "a user of this machine");
    return;
  }
  const std::string wrong = reader.machine().wrong_with_switching_to(**user);
  if (!wrong.empty()) reader.refuse(at, wrong);
  out.environment.user = *user;
  if (ConfigMachine::is_own(**user)) return;  // without privileges even setgroups() to the same groups fails
  out.process.uid = (*user)->uid;
  out.process.gid = (*user)->gid;
  out.process.groups = (*user)->groups;
}

void read_umask(ConfigReader& reader, const JsonValue& at, ProcessDraft& out) {
  std::string text;
  constexpr std::string_view expected = "an octal mask such as \"022\"";
  if (!reader.text(at, text, expected)) return;
  const bool octal = text.size() >= 3 && text.size() <= 4 && text.find_first_not_of("01234567") == text.npos;
  if (!octal || (text.size() == 4 && text[0] != '0')) {
    reader.wrong(at, std::string(expected));
    return;
  }
  out.process.umask = static_cast<std::uint32_t>(std::stoul(text, nullptr, 8));
}

void read_nice(ConfigReader& reader, const JsonValue& at, ProcessDraft& out) {
  std::int32_t nice = 0;
  if (reader.whole(at, nice, -20, 19)) out.process.nice = nice;
}

void read_replicas(ConfigReader& reader, const JsonValue& at, ProcessDraft& out) {
  std::uint32_t count = 0;
  if (reader.whole(at, count, 0, kMaxReplicas)) out.replicas = count;
}

using R = ConfigReader;
using V = const JsonValue;
constexpr Key<ProcessDraft> kProcessKeys[] = {
    {"id", [](R&, V&, ProcessDraft&) {}},  // the supervisor has it
    {"replicas", read_replicas},
    {"command", read_command},
    {"cwd", read_cwd},
    {"user", read_user},
    {"env", [](R& reader, V& at, ProcessDraft& out) { read_env(reader, at, out.environment.own); }},
    {"env_file", [](R&, V& at, ProcessDraft& out) { out.environment.file = at; }},
    {"inherit_env", [](R& reader, V& at, ProcessDraft& out) { reader.boolean(at, out.environment.inherit); }},
    {"channel", [](R& reader, V& at, ProcessDraft& out) { read_channel(reader, at, out.worker.channel); }},
    {"subscribe", [](R& reader, V& at, ProcessDraft& out) { read_subscriptions(reader, at, out.worker.subscribe); }},
    {"publish", [](R& reader, V& at, ProcessDraft& out) { read_publish(reader, at, out.worker); }},
    {"echo", [](R& reader, V& at, ProcessDraft& out) { reader.boolean(at, out.worker.echo); }},
    {"mailbox", [](R& reader, V& at, ProcessDraft& out) { read_mailbox(reader, at, out.worker.mailbox); }},
    {"delivery", [](R& reader, V& at, ProcessDraft& out) { read_delivery(reader, at, out.worker.delivery); }},
    {"ready", [](R& reader, V& at, ProcessDraft& out) { read_ready(reader, at, out.process.ready); }},
    {"restart", [](R& reader, V& at, ProcessDraft& out) { read_restart(reader, at, out.all, out.process.restart); }},
    {"health", [](R& reader, V& at, ProcessDraft& out) { read_health(reader, at, out.all, out.process.health); }},
    {"limits", [](R& reader, V& at, ProcessDraft& out) { read_limits(reader, at, out.process.limits); }},
    {"stop", [](R& reader, V& at, ProcessDraft& out) { read_stop(reader, at, out.process.stop); }},
    {"depends_on",
     [](R& reader, V& at, ProcessDraft& out) {
       read_depends_on(reader, at, out.process.base_id, out.all, out.process.depends_on);
     }},
    {"significant", [](R& reader, V& at, ProcessDraft& out) { reader.boolean(at, out.process.significant); }},
    {"log", [](R& reader, V& at, ProcessDraft& out) { read_log(reader, at, out.process.log); }},
    {"umask", read_umask},
    {"nice", read_nice},
    {"no_new_privileges",
     [](R& reader, V& at, ProcessDraft& out) { reader.boolean(at, out.process.no_new_privileges); }},
    {"capabilities",
     [](R& reader, V& at, ProcessDraft& out) { read_capabilities(reader, at, out.process); }},
    {"private_tmp", [](R& reader, V& at, ProcessDraft& out) { read_private_tmp(reader, at, out.process); }},
    {"io_class", [](R& reader, V& at, ProcessDraft& out) { read_io_class(reader, at, out.process); }},
    {"io_priority", [](R& reader, V& at, ProcessDraft& out) { read_io_priority(reader, at, out.process); }},
    {"sockets",
     [](R& reader, V& at, ProcessDraft& out) {
       read_sockets(reader, at, out.process.base_id, out.all, out.process.sockets);
     }},
    {"durable", nullptr, KeyRule::reserved},
};
const Section<ProcessDraft> kProcess{"process", kProcessKeys, {"id", "command"}};

void check_ready(ConfigReader& reader, const JsonValue& child, const ProcessDraft& draft) {
  const auto ready = child.find("ready");
  if (!ready) return;
  if (draft.process.ready.on == ReadyOn::event && draft.worker.channel.kind == ChannelKind::none) {
    reader.refuse(*ready, "without a channel the process cannot send tenon.ready; add \"channel\", or use \"start\"",
                  "a \"channel\" beside it");
  }
  if (draft.process.ready.on == ReadyOn::health && !child.find("health")) {
    reader.refuse(*ready, "there is no health check that could say so; add \"health\", or use \"start\"",
                  "a \"health\" beside it");
  }
  const auto is_readiness = [](const auto& check) { return check.role == HealthRole::readiness; };
  const auto& checks = draft.process.health;
  if (draft.process.ready.on == ReadyOn::exit && std::any_of(checks.begin(), checks.end(), is_readiness)) {
    reader.refuse(*ready, "a task is ready when it has exited with 0, so its readiness check says nothing; use the role "
                          "\"liveness\", or another \"on\"",
                  "no readiness check beside \"exit\"");
  }
}

void check_command(ConfigReader& reader, const JsonValue& child, const ProcessDraft& draft,
                   const Environment& environment) {
  const auto command = child.find("command");
  // With a bad argument among them it is not sure which one is the program.
  if (!command || draft.process.argv.empty() || draft.process.argv.size() != command->size()) return;
  const std::string wrong = reader.machine().wrong_with_command(draft.process.argv.front(), environment.at("PATH"));
  if (!wrong.empty()) {
    const JsonValue program = command->at(0);
    reader.doubt(program, "found " + program.describe() + ": " + wrong, "a program that can be executed");
  }
}

void check_log(ConfigReader& reader, const JsonValue& child, const ProcessDraft& draft) {
  const auto& file = draft.process.log.file;
  if (!file || !draft.replicas || file->find(kIdPlaceholder) != file->npos) return;
  reader.refuse(*child.find("log")->find("file"),
                "all replicas would write into one file; put {id} into its name, for instance \"log/{id}.log\"",
                "a path with {id} in it");
}

// One process of the config, as `id`.
void add_process(ConfigDraft& all, const ProcessDraft& draft, std::string id, runtime::SupervisorConfig& parent) {
  auto process = std::make_shared<ProcessConfig>(draft.process);
  process->id = std::move(id);
  process->env = {"TENON_ID=" + process->id};
  if (auto& file = process->log.file) {
    if (const std::size_t place = file->find(kIdPlaceholder); place != file->npos) {
      file->replace(place, kIdPlaceholder.size(), process->id);
    }
  }
  process->notify = process->ready.on == ReadyOn::notify;
  process->start_digest = start_digest(*process, draft.worker);
  if (!process->health.empty()) all.checked.push_back(process);
  if (!process->depends_on.empty()) all.dependency_lists.push_back(&process->depends_on);
  all.host.workers.emplace(process->id, integration::share_equal(all.latest_worker, draft.worker));
  parent.children.push_back(std::shared_ptr<const ProcessConfig>(std::move(process)));
}

void add_processes(ConfigReader& reader, const JsonValue& at, ProcessDraft& draft, runtime::SupervisorConfig& parent) {
  ConfigDraft& all = draft.all;
  const std::string& id = draft.process.base_id;
  if (draft.replicas) all.file_replicas.emplace(id, *draft.replicas);
  const auto scaled = all.options.scales.find(id);
  if (scaled != all.options.scales.end() && draft.replicas == scaled->second.instead_of)
    draft.replicas = std::min(scaled->second.replicas, kMaxReplicas);
  if (draft.replicas) all.replicas.emplace(id, *draft.replicas);
  all.processes += draft.replicas.value_or(1);
  if (all.processes > kMaxProcesses) {
    if (!std::exchange(all.too_many_processes, true)) {
      reader.refuse(at, "from here on there are more than " + std::to_string(kMaxProcesses) +
                            " processes; start fewer replicas");
    }
    return;
  }
  if (!draft.replicas) return add_process(all, draft, id, parent);
  for (std::uint32_t i = 1; i <= *draft.replicas; ++i) {
    add_process(all, draft, id + "." + std::to_string(i), parent);
  }
}

}  // namespace

void read_process(ConfigReader& reader, const JsonValue& at, const std::string& id, ConfigDraft& draft,
                  runtime::SupervisorConfig& parent) {
  ProcessDraft process{draft};
  process.process.base_id = id;
  process.process.cwd = process.process.config_directory = reader.directory_of(at);
  const std::size_t first_use = draft.plugins.size();
  read_section(reader, at, kProcess, process);
  process.process.channel = process.worker.channel.kind;
  for (std::size_t i = first_use; i < draft.plugins.size(); ++i)
    draft.plugins[i].without_channel = process.process.channel == ChannelKind::none;
  if (!at.find("restart")) {
    use_plugin(reader, draft, {"restart_policy", process.process.restart.policy, at, false, {}});
  }
  check_worker(reader, at, process.worker, draft);
  check_ready(reader, at, process);
  check_io(reader, at);
  check_log(reader, at, process);
  const Environment environment =
      compose_environment(reader, process.environment, process.worker.channel, process.process.sockets.size(),
                          draft.host.node);
  check_command(reader, at, process, environment);
  process.process.shared_env = draft.environments.share(as_list(environment));
  add_processes(reader, at, process, parent);
}

void describe_process(std::vector<SectionKeys>& out) {
  out.push_back(keys_of(kProcess));
  describe_worker(out);
  describe_lifecycle(out);
  describe_sockets(out);
}

}  // namespace tenon::app
