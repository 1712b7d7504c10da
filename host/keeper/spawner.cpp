#include "keeper/spawner.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <fcntl.h>
#include <string_view>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/exit_status.hpp"
#include "common/system.hpp"
#include "keeper/notify_socket.hpp"
#include "keeper/orphans.hpp"

namespace tenon::keeper {
namespace {

constexpr std::string_view kDefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// For execve: pointers into strings that outlive it, ended by null.
std::vector<char*> pointers_to(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const auto& s : strings) pointers.push_back(const_cast<char*>(s.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

bool has_zero_byte(const std::string& text) { return text.find('\0') != std::string::npos; }

// Empty if the spec makes sense.
std::string objection(const SpawnSpec& spec) {
  if (spec.key.id.empty() || spec.key.id.size() > kMaxIdBytes) return "the process id must have 1 to 512 bytes";
  if (spec.argv.empty() || (spec.program.empty() && spec.argv[0].empty())) {
    return "the command is empty; name a program";
  }
  if (has_zero_byte(spec.program) || has_zero_byte(spec.directory) ||
      std::any_of(spec.argv.begin(), spec.argv.end(), has_zero_byte) ||
      std::any_of(spec.environment.begin(), spec.environment.end(), has_zero_byte)) {
    return "command, cwd or environment contain a zero byte; remove it";
  }
  if (spec.stop.grace < std::chrono::milliseconds(0) || spec.stop.grace > kMaxGrace) {
    return "the stop grace must be between 0 and 24 hours";
  }
  if (spec.sockets.size() > kMaxPassedSockets) {
    return "a process can be passed " + std::to_string(kMaxPassedSockets) + " sockets at most; name fewer (sockets)";
  }
  if (spec.standard_output == OutputMode::merge) return "standard output cannot be merged into itself";
  if (spec.stop.signal_number < 1 || spec.stop.signal_number > SIGRTMAX) return "the stop signal is no signal";
  return {};
}

// What is not valid is /dev/null, or no channel.
struct ChildEnds {
  unique_fd input, output, error, channel;
};

// Fails with errno in `error_number`.
struct Plumbing {
  ChildDescriptors host;
  ChildEnds child;
  std::string notify_variable;  // empty: none
  SpawnStage failed = SpawnStage::none;
  int error_number = 0;

  bool ok() const { return failed == SpawnStage::none; }

  void fail(SpawnStage stage) {
    if (ok()) failed = stage, error_number = errno;
  }

  // The host's end does not block; the child's does, as every program expects of its stdio.
  void make_pipe(unique_fd& read_end, unique_fd& write_end, bool host_reads) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return fail(SpawnStage::pipe);
    read_end.reset(ends[0]);
    write_end.reset(ends[1]);
    if (::fcntl(host_reads ? ends[0] : ends[1], F_SETFL, O_NONBLOCK) != 0) fail(SpawnStage::pipe);
  }

  void make_channel() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return fail(SpawnStage::socket);
    host.channel.reset(ends[0]);
    child.channel.reset(ends[1]);
    if (::fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) fail(SpawnStage::socket);
  }

  void make_notify() {
    auto made = make_notify_socket();
    if (!made) return fail(SpawnStage::socket);
    host.notify = std::move(made->socket);
    notify_variable = "NOTIFY_SOCKET=" + made->name;
  }

  void duplicate(int source, unique_fd& child_end) {
    child_end.reset(::fcntl(source, F_DUPFD_CLOEXEC, 0));
    if (!child_end) fail(SpawnStage::open);
  }

  void make_output(OutputMode mode, int inherited, unique_fd& host_end, unique_fd& child_end) {
    switch (mode) {
      case OutputMode::capture: return make_pipe(host_end, child_end, true);
      case OutputMode::discard: return;
      case OutputMode::inherit: return duplicate(inherited, child_end);
      case OutputMode::merge:
        if (child.output) duplicate(child.output.get(), child_end);
    }
  }

  // The kernel gives the lowest number that is free, so a high one means that few are left.
  void leave_the_reserve(int last) {
    for (const unique_fd* end : {&host.input, &host.output, &host.error, &host.channel, &host.notify}) {
      if (end->get() <= last) continue;
      errno = EMFILE;
      return fail(SpawnStage::pipe);
    }
  }

  Plumbing(const SpawnSpec& spec, int last_descriptor) {
    const bool events_on_stdio = spec.channel == ChannelKind::stdio;
    if (events_on_stdio) make_pipe(child.input, host.input, false);
    make_output(events_on_stdio ? OutputMode::capture : spec.standard_output, 1, host.output, child.output);
    make_output(spec.standard_error, 2, host.error, child.error);
    if (spec.channel == ChannelKind::socket) make_channel();
    if (spec.notify) make_notify();
    leave_the_reserve(last_descriptor);
  }
};

// All that an ExecPlan points to, and the plan.
struct Preparation {
  std::vector<std::string> candidates;
  std::vector<char*> paths, argv, environment;
  std::vector<ResourceLimit> limits;
  std::vector<gid_t> groups;
  std::vector<int> control_groups;
  std::vector<std::string> socket_variables;
  ExecPlan plan;

  Preparation(const SpawnSpec& spec, const Plumbing& plumbing, const std::string& cookie,
              const Cgroups::Membership& membership, const std::vector<int>& sockets, const OriginalLimits& original)
      : candidates(program_candidates(spec.program.empty() ? spec.argv[0] : spec.program, spec.environment)),
        paths(pointers_to(candidates)), argv(pointers_to(spec.argv)), environment(pointers_to(spec.environment)),
        limits(spec.limits) {
    const ChildEnds& ends = plumbing.child;
    for (const std::string* variable : {&cookie, &plumbing.notify_variable}) {
      if (!variable->empty()) environment.insert(environment.begin(), const_cast<char*>(variable->c_str()));
    }
    if (membership.to_be_born_in) plan.group = membership.group.get();
    else if (membership.contained()) control_groups.push_back(membership.group.get());
    for (const unique_fd& group : membership.others) control_groups.push_back(group.get());
    plan.control_groups = control_groups.data();
    plan.control_group_count = control_groups.size();
    plan.candidates = paths.data();
    plan.argv = argv.data();
    plan.descriptors[0] = ends.input.get();
    plan.descriptors[1] = ends.output.get();
    plan.descriptors[2] = ends.error.get();
    pass_sockets(spec, sockets);
    if (ends.channel.valid()) plan.descriptors[plan.descriptor_count++] = ends.channel.get();
    plan.environment = environment.data();
    plan.directory = spec.directory.empty() ? nullptr : spec.directory.c_str();
    plan.file_mode_mask = static_cast<int>(spec.file_mode_mask.value_or(022) & 0777);
    plan.no_new_privileges = spec.no_new_privileges;
    plan.io_priority = spec.io_priority ? &*spec.io_priority : nullptr;
    plan.private_tmp = spec.private_tmp;
    plan.capabilities = spec.capabilities ? &*spec.capabilities : nullptr;
    replace_group_limits(spec.group_limits, membership);
    set_limits(spec, original);
    set_user(spec);
  }
  Preparation(const Preparation&) = delete;

  void pass_sockets(const SpawnSpec& spec, const std::vector<int>& sockets) {
    if (sockets.empty()) return;
    std::string names;
    for (const PassedSocket& one : spec.sockets) names += (names.empty() ? "" : ":") + one.name;
    const std::string pid = "LISTEN_PID=";
    socket_variables = {pid + std::string(11, '\0'), "LISTEN_FDS=" + std::to_string(sockets.size()),
                        "LISTEN_FDNAMES=" + names};
    plan.own_pid = socket_variables[0].data() + pid.size();
    for (std::string& variable : socket_variables) environment.insert(environment.begin(), variable.data());
    for (const int socket : sockets) plan.descriptors[plan.descriptor_count++] = socket;
  }

  // By the rlimits that come nearest.
  void replace_group_limits(const GroupLimits& wanted, const Cgroups::Membership& membership) {
    const auto kept = [&](CgroupController one) { return membership.limited[static_cast<std::size_t>(one)]; };
    if (wanted.memory_bytes && !kept(CgroupController::memory)) {
      limits.push_back({RLIMIT_AS, *wanted.memory_bytes, *wanted.memory_bytes});
    }
    if (wanted.processes && !kept(CgroupController::processes)) {
      limits.push_back({RLIMIT_NPROC, *wanted.processes, *wanted.processes});
    }
  }

  void set_limits(const SpawnSpec& spec, const OriginalLimits& original) {
    const bool limits_files = std::any_of(limits.begin(), limits.end(),
                                          [](const ResourceLimit& l) { return l.resource == RLIMIT_NOFILE; });
    if (!limits_files && original.open_files_hard != 0) {
      limits.push_back({RLIMIT_NOFILE, original.open_files_soft, original.open_files_hard});
    }
    plan.limits = limits.data();
    plan.limit_count = limits.size();
    plan.oom_score = original.oom_score.empty() ? nullptr : original.oom_score.c_str();
    plan.nice = spec.nice ? &*spec.nice : nullptr;
  }

  void set_user(const SpawnSpec& spec) {
    if (spec.groups) groups.assign(spec.groups->begin(), spec.groups->end());
    const bool other_user = (spec.uid && *spec.uid != ::geteuid()) || (spec.gid && *spec.gid != ::getegid());
    plan.groups = groups.data();
    plan.group_count = groups.size();
    plan.set_groups =
        spec.groups.has_value() || other_user;  // for one's own user nothing changes, and only root may ask
    plan.gid = spec.gid ? &*spec.gid : nullptr;
    plan.uid = spec.uid ? &*spec.uid : nullptr;
  }
};

bool is_hidden(const SpawnSpec& spec, const std::string& path) {
  return spec.private_tmp && (path.starts_with("/tmp/") || path.starts_with("/var/tmp/"));
}

std::string explain_exec(const SpawnSpec& spec, const std::vector<std::string>& candidates, int error_number) {
  const std::string& program = spec.program.empty() ? spec.argv[0] : spec.program;
  const bool searched = program.find('/') == std::string::npos;
  if (error_number == ENOENT && searched) {
    return "command \"" + program + "\" was not found in any of the " + std::to_string(candidates.size()) +
           " directories of the process's PATH; write its full path, or set PATH in env";
  }
  if (error_number == ENOENT && is_hidden(spec, program)) {
    return "command \"" + program +
           "\" is in a directory that private_tmp hides from the process; install it elsewhere, or leave private_tmp out";
  }
  if (error_number == ENOENT) {
    const std::string path = program[0] == '/' || spec.directory.empty() ? program : spec.directory + "/" + program;
    if (::access(path.c_str(), F_OK) == 0) {
      return "command \"" + path +
             "\" exists, but its interpreter (the #! line) or its ELF loader does not; install it";
    }
    return "command \"" + path + "\" does not exist; mend the path in command";
  }
  if (error_number == EACCES) {
    return "command \"" + program +
           "\" may not be executed by the process's user; check chmod +x, the directories above it and noexec mounts";
  }
  if (error_number == ENOEXEC) {
    return "command \"" + program + "\" is neither a program for this machine nor a script that begins with #!";
  }
  return Error::from_errno(error_number, "execute \"" + program + "\"").message;
}

std::string explain_plumbing(int error_number) {
  if (error_number == EMFILE) {
    return "the host's limit on open descriptors leaves none for another process; raise it (ulimit -Hn, LimitNOFILE=) "
           "and run the host again, or run fewer processes";
  }
  return Error::from_errno(error_number, "make the pipes of the process").message;
}

std::string explain(const SpawnSpec& spec, const std::vector<std::string>& candidates, const ExecFailure& failure) {
  const int e = failure.error_number;
  switch (failure.stage) {
    case SpawnStage::exec: return explain_exec(spec, candidates, e);
    case SpawnStage::chdir:
      if (is_hidden(spec, spec.directory + "/")) {
        return "the directory \"" + spec.directory +
               "\" (cwd) is hidden from the process by private_tmp; use another one, or leave private_tmp out";
      }
      return Error::from_errno(e, "enter the directory \"" + spec.directory + "\" (cwd)").message;
    case SpawnStage::groups:
    case SpawnStage::gid:
    case SpawnStage::uid:
      return Error::from_errno(e, "become another user (user); only root may").message;
    case SpawnStage::io_priority:
      return Error::from_errno(e, "set the I/O priority (io_class); only root may use realtime").message;
    case SpawnStage::private_tmp:
      return Error::from_errno(e, "give the process a /tmp of its own (private_tmp); it takes CAP_SYS_ADMIN").message;
    case SpawnStage::capabilities:
      return Error::from_errno(e, "bound its capabilities (capabilities); it takes CAP_SETPCAP").message;
    case SpawnStage::limits:
      return Error::from_errno(e, "set the resource limits (limits); only root may raise a hard limit").message;
    case SpawnStage::cgroup:
      return Error::from_errno(e, "join its control group; the group of the host may be full or gone").message;
    case SpawnStage::nice: return Error::from_errno(e, "set the priority; only root may raise it").message;
    case SpawnStage::clone:
      return Error::from_errno(e, "start a process; the system's or the container's limit on processes may be reached")
          .message;
    default: return Error::from_errno(e, "start the process at stage " + std::string(to_string(failure.stage))).message;
  }
}

}  // namespace

std::string to_string(const ProcessKey& key) { return key.id + "#" + std::to_string(key.generation); }

std::vector<std::string> program_candidates(const std::string& program, const std::vector<std::string>& environment) {
  if (program.find('/') != std::string::npos) return {program};
  std::string_view path = kDefaultPath;
  for (const auto& entry : environment) {
    if (entry.starts_with("PATH=")) path = std::string_view(entry).substr(5);
  }
  std::vector<std::string> candidates;
  while (!path.empty()) {
    const std::size_t colon = path.find(':');
    const std::string_view directory = path.substr(0, colon);
    if (directory.starts_with('/')) candidates.push_back(std::string(directory) + "/" + program);
    path = colon == std::string_view::npos ? std::string_view{} : path.substr(colon + 1);
  }
  return candidates;
}

Spawner::Spawner(OriginalLimits original, std::string run)
    : original_(std::move(original)), run_(std::move(run)), ignored_signals_(ignored_signals()), last_descriptor_(INT_MAX) {
  const auto limit = descriptor_limit();
  if (limit.ok() && limit->current > kReservedDescriptors)
    last_descriptor_ = static_cast<int>(std::min<std::uint64_t>(limit->current - kReservedDescriptors, INT_MAX)) - 1;
}

SpawnOutcome Spawner::spawn(const SpawnSpec& spec, const Cgroups::Membership& membership,
                            const std::vector<int>& sockets) const {
  SpawnFailure refused{SpawnStage::refused, 0, objection(spec)};
  if (!refused.message.empty()) return refused;
  Plumbing plumbing(spec, last_descriptor_);
  if (!plumbing.ok()) {
    return SpawnFailure{plumbing.failed, plumbing.error_number, explain_plumbing(plumbing.error_number)};
  }

  const std::string cookie = run_.empty() ? std::string() : run_cookie(run_, spec.key);
  Preparation prepared(spec, plumbing, cookie, membership, sockets, original_);
  prepared.plan.ignored_signals = ignored_signals_;
  auto outcome = clone_and_exec(prepared.plan);
  if (auto* failure = std::get_if<ExecFailure>(&outcome)) {
    return SpawnFailure{failure->stage, failure->error_number, explain(spec, prepared.candidates, *failure)};
  }
  return SpawnedChild{std::get<pid_t>(outcome), std::move(plumbing.host)};
}

SpawnOutcome Spawner::spawn_engine(int executable, const std::vector<std::string>& argv_strings,
                                   const std::vector<std::string>& environment_strings, int link) const {
  const auto argv = pointers_to(argv_strings);
  const auto environment = pointers_to(environment_strings);
  ExecPlan plan;
  plan.executable = executable;
  plan.argv = argv.data();
  plan.environment = environment.data();
  plan.descriptors[0] = 0;
  plan.descriptors[1] = 1;
  plan.descriptors[2] = 2;
  plan.descriptors[plan.descriptor_count++] = link;
  plan.oom_score = original_.oom_score.empty() ? nullptr : original_.oom_score.c_str();
  plan.ignored_signals = ignored_signals_;
  plan.dies_with_parent = false;
  auto outcome = clone_and_exec(plan);
  if (auto* failure = std::get_if<ExecFailure>(&outcome)) {
    return SpawnFailure{failure->stage, failure->error_number,
                        Error::from_errno(failure->error_number, "start the engine").message};
  }
  return SpawnedChild{std::get<pid_t>(outcome), {}};
}

}  // namespace tenon::keeper
