#include "support/run_program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace tenon::test_support {

namespace {

using Clock = std::chrono::steady_clock;

int milliseconds_left(Clock::time_point end) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
  return left < 0 ? 0 : static_cast<int>(left);
}

struct Streams {
  int in = -1, out = -1, err = -1;
};

pid_t spawn(std::vector<std::string> words, const std::vector<std::string>& environment, const Streams& streams) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child != 0) return child;
  // The death signal follows the thread that forked; tests start programs from their main thread.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  ::dup2(streams.in, STDIN_FILENO);
  ::dup2(streams.out, STDOUT_FILENO);
  ::dup2(streams.err, STDERR_FILENO);
  for (const std::string& variable : environment) {
    const std::size_t sign = variable.find('=');
    ::setenv(variable.substr(0, sign).c_str(), variable.substr(sign + 1).c_str(), 1);
  }
  ::execvp(argv[0], argv.data());
  ::_exit(127);
}

// Descriptors of memory instead of pipes: the program never waits for a reader, and nothing has to be read while it
// runs.
unique_fd memory_file(std::string_view content = {}) {
  unique_fd file(::memfd_create("program", MFD_CLOEXEC));
  for (std::size_t done = 0; done < content.size();) {
    const ssize_t wrote = ::write(file.get(), content.data() + done, content.size() - done);
    if (wrote <= 0) break;
    done += static_cast<std::size_t>(wrote);
  }
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

std::string content_of(int fd) {
  std::string content;
  char buffer[65536];
  ssize_t got = 0;
  ::lseek(fd, 0, SEEK_SET);
  while ((got = ::read(fd, buffer, sizeof buffer)) > 0) content.append(buffer, static_cast<std::size_t>(got));
  return content;
}

// Waits for the end of a child; empty at the deadline.
std::optional<int> wait_for(pid_t pid, std::chrono::milliseconds deadline) {
  const auto end = Clock::now() + deadline;
  const unique_fd handle(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  pollfd ended{handle.get(), POLLIN, 0};
  while (::poll(&ended, 1, milliseconds_left(end)) < 0 && errno == EINTR) {
  }
  int status = 0;
  if (::waitpid(pid, &status, WNOHANG) != pid) return std::nullopt;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void end_now(pid_t pid) {
  ::kill(pid, SIGKILL);
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace

bool wait_until(const std::function<bool()>& condition, std::chrono::milliseconds deadline) {
  const auto end = Clock::now() + deadline;
  while (!condition()) {
    if (Clock::now() >= end) return false;
    ::poll(nullptr, 0, 10);
  }
  return true;
}

BackgroundProgram::BackgroundProgram(std::vector<std::string> argv, const std::vector<std::string>& environment,
                                     const std::string& output) {
  const unique_fd in(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const unique_fd out(
      ::open(output.empty() ? "/dev/null" : output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  pid_ = spawn(std::move(argv), environment, {in.get(), out.get(), out.get()});
}

BackgroundProgram::~BackgroundProgram() {
  if (is_running()) end_now(pid_);
}

bool BackgroundProgram::is_running() { return pid_ > 0 && !wait(std::chrono::milliseconds(0)); }

void BackgroundProgram::signal(int number) {
  if (is_running()) ::kill(pid_, number);
}

std::optional<int> BackgroundProgram::wait(std::chrono::milliseconds deadline) {
  if (!exit_code_) exit_code_ = wait_for(pid_, deadline);
  return exit_code_;
}

ProgramResult run_program(std::vector<std::string> argv, const std::vector<std::string>& environment,
                          std::string_view input, std::chrono::milliseconds deadline) {
  const unique_fd in = memory_file(input);
  const unique_fd out = memory_file();
  const unique_fd err = memory_file();
  const pid_t pid = spawn(std::move(argv), environment, {in.get(), out.get(), err.get()});
  ProgramResult result;
  if (const auto code = wait_for(pid, deadline))
    result.exit_code = *code;
  else
    end_now(pid);
  result.out = content_of(out.get());
  result.err = content_of(err.get());
  return result;
}

std::string read_text(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

void write_text(const std::string& path, std::string_view text) { std::ofstream(path, std::ios::binary) << text; }

}  // namespace tenon::test_support
