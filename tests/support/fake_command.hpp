// A command that a fake host runs: posix_spawn into a group of its own, output through one pipe. For tests only.
#pragma once

#include <tenon/host.h>

#include <cstdint>
#include <string>

#include "common/unique_fd.hpp"

namespace tenon::test_support {

class FakeCommand {
 public:
  // Copies the command and starts it. A command that cannot start is finished at once (TENON_EXIT_FAILED).
  FakeCommand(const tenon_command& command, std::uint64_t now_ns);
  // Kills the group and reaps its leader if that is still to do.
  ~FakeCommand();
  FakeCommand(const FakeCommand&) = delete;
  FakeCommand& operator=(const FakeCommand&) = delete;

  // Descriptors to poll for reading; -1: not now.
  int output_fd() const noexcept { return output_fd_.get(); }
  int exit_fd() const noexcept { return pid_fd_.get(); }
  void read_output();
  // The leader has exited, or never started: kills what is left of the group, reads what is left of the output.
  void finish();
  // Ends it as at its deadline.
  void time_out();

  bool finished() const noexcept { return finished_; }
  std::uint64_t deadline_ns() const noexcept { return deadline_ns_; }
  int pid() const noexcept { return pid_; }
  void report(std::uint64_t now_ns, tenon_command_callback callback, void* argument) const;

 private:
  void kill_group_and_reap();
  void keep(const char* octets, std::size_t size);

  std::uint64_t started_ns_, deadline_ns_;
  std::size_t output_limit_;
  int pid_ = -1;  // -1: not running
  unique_fd pid_fd_, output_fd_;
  std::string output_;  // the last output_limit_ octets
  bool truncated_ = false, finished_ = false;
  std::uint32_t ended_ = TENON_EXIT_FAILED;
  std::int32_t value_ = 0;
};

}  // namespace tenon::test_support
