#include "integration/command_runner.hpp"

#include <cerrno>
#include <unistd.h>

namespace tenon::integration {

namespace {

// What a probe may expect of its environment: enough to find programs and to print, nothing of the host's own.
std::vector<std::string> minimal_environment() {
  std::vector<std::string> environment;
  for (const char* name : {"PATH", "HOME", "USER", "LANG"})
    if (const char* value = std::getenv(name)) environment.push_back(std::string(name) + "=" + value);
  if (std::getenv("PATH") == nullptr) environment.push_back("PATH=/usr/local/bin:/usr/bin:/bin");
  return environment;
}

// What belongs to the process's own conversation with the host; a command must not take part in it.
bool is_private(std::string_view variable) {
  for (const std::string_view name : {"TENON_CHANNEL_FD=", "NOTIFY_SOCKET=", "WATCHDOG_USEC=", "WATCHDOG_PID="})
    if (variable.starts_with(name)) return true;
  return false;
}

void run_as(const runtime::ProcessConfig& process, keeper::SpawnSpec& spec) {
  if (process.shared_env != nullptr) spec.environment = *process.shared_env;
  spec.environment.insert(spec.environment.end(), process.env.begin(), process.env.end());
  std::erase_if(spec.environment, is_private);
  if (spec.directory.empty()) spec.directory = process.cwd;
  spec.uid = process.uid;
  spec.gid = process.gid;
  spec.groups = process.groups;
  spec.file_mode_mask = process.umask;
  spec.no_new_privileges = process.no_new_privileges;
}

bool is_relative_path(const std::string& path) {
  return !path.starts_with('/') && path.find('/') != std::string::npos;
}

// Later ones replace earlier ones of the same name: two of one name in an environment are anybody's guess.
void add_variables(std::vector<std::string>& environment, const std::vector<std::string>& more) {
  for (const std::string& variable : more) {
    const std::string_view name = std::string_view(variable).substr(0, variable.find('=') + 1);
    std::erase_if(environment, [name](const std::string& each) { return each.starts_with(name); });
    environment.push_back(variable);
  }
}

}  // namespace

Result<std::uint64_t> CommandRunner::run(CommandRequest request, std::function<void(CommandOutcome)> done) {
  if (commands_.size() >= kMaxCommands)
    return Error(errc::exhausted, "256 commands of health checks run already; raise their intervals", fault::host,
                 true);
  const runtime::ProcessConfig* process = nullptr;
  if (!request.process.empty() && (process = processes_(request.process)) == nullptr)
    return Error(errc::not_found, "there is no process " + request.process + " to run a command for");
  const std::uint64_t number = next_++;
  auto command = std::make_unique<Command>();
  command->key = {std::string(kPrefix) + std::to_string(number), generation_};
  command->done = std::move(done);
  command->output_limit = std::min<std::size_t>(request.output_limit, 1024 * 1024);
  command->started = loop_.clock().monotonic();

  keeper::SpawnSpec spec;
  spec.key = command->key;
  spec.argv = std::move(request.argv);
  spec.directory = std::move(request.directory);
  const std::string& base = process != nullptr ? process->config_directory : base_;
  if (!base.empty() && !spec.argv.empty() && is_relative_path(spec.argv.front()))
    spec.argv.front() = base + "/" + spec.argv.front();
  if (!base.empty() && !spec.directory.empty() && !spec.directory.starts_with('/'))
    spec.directory = base + "/" + spec.directory;
  if (process != nullptr) run_as(*process, spec);
  else spec.environment = minimal_environment();
  add_variables(spec.environment, request.environment);
  spec.transient = true;
  spec.stop.grace = std::chrono::milliseconds(0);
  TENON_TRY(launcher_.spawn_command(std::move(spec)));

  const Duration left = std::max(request.deadline - command->started, Duration(0));
  command->deadline = loop_.after(left, [this, number] {
    const auto at = commands_.find(number);
    if (at == commands_.end()) return;
    at->second->timed_out = true;
    launcher_.kill_command(at->second->key);
  });
  commands_[number] = std::move(command);
  return number;
}

void CommandRunner::cancel(std::uint64_t number) {
  const auto at = commands_.find(number);
  if (at == commands_.end()) return;
  at->second->cancelled = true;
  at->second->done = nullptr;
  launcher_.kill_command(at->second->key);
}

CommandRunner::Command* CommandRunner::find(const keeper::ProcessKey& key) {
  if (key.generation != generation_) return nullptr;  // an earlier engine's, on its way out
  const std::uint64_t number = std::strtoull(key.id.c_str() + kPrefix.size(), nullptr, 10);
  const auto at = commands_.find(number);
  return at == commands_.end() ? nullptr : at->second.get();
}

void CommandRunner::on_spawned(keeper::Spawned spawned) {
  Command* command = find(spawned.key);
  if (command == nullptr || command->cancelled || command->timed_out) return launcher_.kill_command(spawned.key);
  command->output = std::move(spawned.descriptors.output);
  command->error = std::move(spawned.descriptors.error);
  const auto watch = [&](unique_fd& fd, std::unique_ptr<event::FdWatch>& into) {
    if (!fd.valid()) return;
    auto made = loop_.watch(fd.get(), event::Interest::read,
                            [this, command, &fd, &into](event::Interest) { read(*command, fd, into); });
    if (made.ok()) into = std::move(*made);
  };
  watch(command->output, command->output_watch);
  watch(command->error, command->error_watch);
}

// Reads what is there, so that the command never blocks on us, and keeps the last octets of it: why something failed is
// usually said at the end.
void CommandRunner::read(Command& command, unique_fd& from, std::unique_ptr<event::FdWatch>& watch) {
  char buffer[16 * 1024];
  std::string& output = command.outcome.output;
  for (int rounds = 0; rounds < 16; ++rounds) {
    const ssize_t got = ::read(from.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) break;
    if (got <= 0) {
      watch.reset();
      from.reset();
      break;
    }
    output.append(buffer, static_cast<std::size_t>(got));
  }
  if (output.size() <= command.output_limit) return;
  output.erase(0, output.size() - command.output_limit);
  command.outcome.output_truncated = true;
}

void CommandRunner::on_spawn_failed(const keeper::SpawnFailed& failure) {
  Command* command = find(failure.key);
  if (command == nullptr) return;
  command->outcome.ended = TENON_EXIT_FAILED;
  command->outcome.value = failure.error_number;
  command->outcome.output = failure.message;
  finish(std::strtoull(failure.key.id.c_str() + kPrefix.size(), nullptr, 10));
}

void CommandRunner::on_exited(const keeper::Exited& exited) {
  launcher_.forget_command(exited.key);
  Command* command = find(exited.key);
  if (command == nullptr) return;
  if (command->output.valid()) read(*command, command->output, command->output_watch);
  if (command->error.valid()) read(*command, command->error, command->error_watch);
  const ExitStatus& status = exited.exit.status;
  command->outcome.ended = command->timed_out  ? TENON_EXIT_TIMEOUT
                           : status.signaled() ? TENON_EXIT_SIGNAL
                                               : TENON_EXIT_CODE;
  command->outcome.value = status.signaled() ? status.signal : status.code;
  finish(std::strtoull(exited.key.id.c_str() + kPrefix.size(), nullptr, 10));
}

void CommandRunner::finish(std::uint64_t number) {
  const auto at = commands_.find(number);
  const std::unique_ptr<Command> command = std::move(at->second);
  commands_.erase(at);
  command->outcome.duration = loop_.clock().monotonic() - command->started;
  if (command->done) command->done(std::move(command->outcome));
}

}  // namespace tenon::integration
