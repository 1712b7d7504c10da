#include "support/fake_command.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace tenon::test_support {
namespace {

std::string text(tenon_str span) { return {span.data == nullptr ? "" : span.data, span.size}; }

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (auto& each : texts) result.push_back(each.data());
  result.push_back(nullptr);
  return result;
}

// posix_spawnp's return value: 0 or an errno.
int spawn(const tenon_command& command, int output, int* out_pid) {
  std::vector<std::string> arguments, environment;
  for (std::uint32_t i = 0; i < command.argument_count; ++i) arguments.push_back(text(command.arguments[i]));
  const char* path = std::getenv("PATH");
  environment.push_back(std::string("PATH=") + (path == nullptr ? "/usr/bin:/bin" : path));
  for (std::uint32_t i = 0; i < command.environment_count; ++i) environment.push_back(text(command.environment[i]));

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, 1);
  posix_spawn_file_actions_adddup2(&actions, output, 2);
  if (command.directory.data != nullptr)
    posix_spawn_file_actions_addchdir_np(&actions, text(command.directory).c_str());
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  posix_spawnattr_setpgroup(&attributes, 0);
  const int failed = ::posix_spawnp(out_pid, arguments.at(0).c_str(), &actions, &attributes, pointers(arguments).data(),
                                    pointers(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return failed;
}

}  // namespace

FakeCommand::FakeCommand(const tenon_command& command, std::uint64_t now_ns)
    : started_ns_(now_ns),
      deadline_ns_(command.deadline_ns),
      output_limit_(command.output_limit == 0 ? 4096 : command.output_limit) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) std::abort();
  output_fd_.reset(ends[0]);
  unique_fd write_end(ends[1]);
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  const int failed = spawn(command, write_end.get(), &pid_);
  if (failed != 0) {
    pid_ = -1;
    output_fd_.reset();
    output_ = std::strerror(failed);
    finished_ = true;
    return;
  }
  pid_fd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  if (!pid_fd_) std::abort();
}

FakeCommand::~FakeCommand() {
  if (pid_ > 0) kill_group_and_reap();
}

void FakeCommand::keep(const char* octets, std::size_t size) {
  output_.append(octets, size);
  if (output_.size() <= output_limit_) return;
  truncated_ = true;
  output_.erase(0, output_.size() - output_limit_);
}

void FakeCommand::read_output() {
  char block[4096];
  while (output_fd_) {
    const ssize_t got = ::read(output_fd_.get(), block, sizeof block);
    if (got < 0) return;
    if (got == 0) output_fd_.reset();  // nobody holds the other end any more
    else keep(block, static_cast<std::size_t>(got));
  }
}

void FakeCommand::kill_group_and_reap() {
  ::kill(-pid_, SIGKILL);  // before reaping: until then the group's number cannot be anybody else's
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  ended_ = WIFSIGNALED(status) ? TENON_EXIT_SIGNAL : TENON_EXIT_CODE;
  value_ = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

void FakeCommand::finish() {
  if (finished_) return;
  kill_group_and_reap();
  read_output();
  output_fd_.reset();
  pid_fd_.reset();
  finished_ = true;
}

void FakeCommand::time_out() {
  if (finished_) return;
  finish();
  ended_ = TENON_EXIT_TIMEOUT;
  value_ = 0;
}

void FakeCommand::report(std::uint64_t now_ns, tenon_command_callback callback, void* argument) const {
  tenon_command_result result;
  TENON_INIT(&result);
  result.ended = ended_;
  result.value = value_;
  result.output_truncated = truncated_ ? 1 : 0;
  result.output = {reinterpret_cast<const std::uint8_t*>(output_.data()), output_.size()};
  result.duration_ns = now_ns - started_ns_;
  callback(argument, &result);
}

}  // namespace tenon::test_support
