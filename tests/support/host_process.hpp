// A real host for tests: `tenon run` on a config of the test's own, in a directory of its own, with the CLI against it.
//
// The model. Made with a config → start() → running → stop() or its own end … → start() again. The destructor stops it
// with SIGTERM, and with SIGKILL if that does not end it in time; nothing is left but what a failing host leaves.
//
// In configs, ${TEST} is the test's directory, ${WORKERS} that of the small workers in tests/integration/workers, and
// ${SHELF} that of the plugins that are bad on purpose. Plugins come from the build tree.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/json_document.hpp"
#include "support/run_program.hpp"

namespace tenon::test_support {

class HostProcess {
 public:
  struct Options {
    std::vector<std::string> arguments;    // further ones of `tenon run`
    std::vector<std::string> environment;  // NAME=VALUE
    std::vector<std::string> wrapper;      // a program that runs the command after its own arguments, such as unshare
    std::string binary;                    // instead of this build tree's
  };

  explicit HostProcess(const std::string& config, Options options = {});
  ~HostProcess();
  HostProcess(const HostProcess&) = delete;
  HostProcess& operator=(const HostProcess&) = delete;

  // Starts `tenon run` and waits until /readyz says that everything is ready; false if the host ended or the deadline
  // passed before (its log says why).
  bool start();
  // Starts it without waiting.
  void launch();
  bool wait_until_ready(std::chrono::milliseconds deadline = kSoon);
  // SIGTERM, and waits. The exit code; empty if it had to be killed.
  std::optional<int> stop();
  std::optional<int> wait_for_end(std::chrono::milliseconds deadline = kSoon);
  void signal(int number) { program_->signal(number); }
  // Of what was started: the wrapper, if there is one, else the keeper.
  pid_t pid() const noexcept { return program_->pid(); }

  const std::string& directory() const noexcept { return directory_; }
  std::string path(const std::string& name) const { return directory_ + "/" + name; }
  std::string config_path() const { return path("tenon.json"); }
  std::string socket() const { return path("s"); }
  std::string log() const { return read_text(path("host.log")); }

  // A verb against this host; its exit code, stdout and stderr.
  ProgramResult cli(std::vector<std::string> words, std::string_view input = {}) const;
  // The same with --json; null if it failed or printed no JSON.
  std::unique_ptr<JsonDocument> json(std::vector<std::string> words) const;
  // GET over the control socket; the status, 0 if nobody answers.
  int http_status(const std::string& path) const;
  // GET over the control socket; head and body as they came.
  std::string http_answer(const std::string& path) const;
  // The same for POST of a JSON text.
  std::string http_post(const std::string& path, const std::string& body) const;

  // 0 if unknown.
  pid_t keeper_pid() const { return static_cast<pid_t>(number_of_info("keeper_pid")); }
  pid_t engine_pid() const { return static_cast<pid_t>(number_of_info("engine_pid")); }
  std::int64_t engine_restarts() const { return number_of_info("engine_restarts"); }
  // The pid of a process; 0 if it does not run.
  pid_t worker_pid(const std::string& id) const;
  std::string worker_status(const std::string& id) const;
  // Waits until the engine was restarted `count` times in all and everything is ready again.
  bool wait_for_engine_restart(std::int64_t count);

 private:
  std::string http_exchange(const std::string& request) const;
  std::int64_t number_of_info(std::string_view key) const;

  std::string directory_;
  Options options_;
  std::unique_ptr<BackgroundProgram> program_;
};

// The tenon of this build tree.
std::string tenon_binary();
// A process of that pid exists and is no zombie.
bool is_alive(pid_t pid);
// All processes in whose environment NAME=VALUE stands; how tests find what a host left behind.
std::set<pid_t> processes_with_environment(const std::string& variable);

}  // namespace tenon::test_support
