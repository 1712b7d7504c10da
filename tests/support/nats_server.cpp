#include "support/nats_server.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace tenon::test_support {

namespace {

constexpr auto kReadyWithin = std::chrono::seconds(30);
constexpr const char* kReady = "Server is ready";
constexpr const char* kListening = "Listening for client connections on 127.0.0.1:";

const char* executable() {
  static const char* const found = [] {
    const char* const path = std::getenv("PATH");
    static std::string candidate;
    std::string rest = std::string(path == nullptr ? "" : path) + ":/usr/sbin:/usr/local/sbin:";
    while (!rest.empty()) {
      candidate = rest.substr(0, rest.find(':')) + "/nats-server";
      rest.erase(0, rest.find(':') + 1);
      if (::access(candidate.c_str(), X_OK) == 0) return candidate.c_str();
    }
    return static_cast<const char*>(nullptr);
  }();
  return found;
}

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "nats_server: %s\n", why.c_str());
  std::abort();
}

}  // namespace

bool NatsServer::is_installed() { return executable() != nullptr; }
bool NatsServer::may_be_missing() { return !is_installed() && std::getenv("TENON_SKIP_NOTHING") == nullptr; }

NatsServer::NatsServer(std::vector<std::string> arguments) : arguments_(std::move(arguments)) { start(0); }

NatsServer::~NatsServer() { kill(); }

void NatsServer::start(std::uint16_t port) {
  if (!is_installed()) give_up("there is no nats-server; install the package nats-server");
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) give_up("no pipe");
  log_ = unique_fd(ends[0]);
  std::vector<std::string> words = {executable(), "-a", "127.0.0.1", "-p", port == 0 ? "-1" : std::to_string(port)};
  words.insert(words.end(), arguments_.begin(), arguments_.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) {
    // The death signal follows the thread that forked; tests start servers from their main thread.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    ::dup2(ends[1], STDERR_FILENO);
    ::dup2(ends[1], STDOUT_FILENO);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  ::close(ends[1]);
  if (pid_ < 0) give_up("cannot fork");
  const std::string said = wait_until_ready(log_.get());
  const std::size_t at = said.find(kListening);
  if (at == std::string::npos) give_up("it did not name its port: " + said);
  port_ = static_cast<std::uint16_t>(std::strtoul(said.c_str() + at + std::string(kListening).size(), nullptr, 10));
}

// Reads the server's log until it says that it is ready. The log stays open: a server that says more later may.
std::string NatsServer::wait_until_ready(int log_fd) {
  const auto deadline = std::chrono::steady_clock::now() + kReadyWithin;
  std::string said;
  while (said.find(kReady) == std::string::npos) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd polled{log_fd, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&polled, 1, static_cast<int>(left.count())) == 0)
      give_up("not ready in time: " + said);
    char buffer[4096];
    const ssize_t got = ::read(log_fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) give_up("it ended: " + said);
    said.append(buffer, static_cast<std::size_t>(got));
  }
  return said;
}

void NatsServer::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

void NatsServer::restart() {
  kill();
  start(port_);
}

void NatsServer::restart(std::vector<std::string> arguments) {
  arguments_ = std::move(arguments);
  restart();
}

// The signal only asks; its threads may answer a client yet until the kernel says that it has stopped.
void NatsServer::pause() {
  ::kill(pid_, SIGSTOP);
  while (::waitpid(pid_, nullptr, WUNTRACED) < 0 && errno == EINTR) {
  }
}
void NatsServer::resume() { ::kill(pid_, SIGCONT); }

}  // namespace tenon::test_support
