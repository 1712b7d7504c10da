// Programs that tests run: to their end with all they say, or in the background until the test has seen enough.
//
// A program never outlives the test: its parent's death kills it, and so does the destructor. Every wait has a
// deadline.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/unique_fd.hpp"

namespace tenon::test_support {

// Generous, because CI machines stop for seconds; only a test that fails waits so long.
inline constexpr std::chrono::seconds kSoon{60};

// Whether `condition` became true within the deadline. Asks again every few milliseconds; for what nobody announces.
bool wait_until(const std::function<bool()>& condition, std::chrono::milliseconds deadline = kSoon);

class BackgroundProgram {
 public:
  // argv[0] is a path or looked up in PATH. `environment`: NAME=VALUE, added to the test's own. `output`: a file that
  // gets stdout and stderr, appended; empty: /dev/null. A program that cannot be started ends with 127.
  BackgroundProgram(std::vector<std::string> argv, const std::vector<std::string>& environment,
                    const std::string& output);
  ~BackgroundProgram();
  BackgroundProgram(const BackgroundProgram&) = delete;
  BackgroundProgram& operator=(const BackgroundProgram&) = delete;

  pid_t pid() const noexcept { return pid_; }
  bool is_running();
  void signal(int number);
  // Its exit code, 128 + signal if one ended it; empty when the deadline passed.
  std::optional<int> wait(std::chrono::milliseconds deadline = kSoon);

 private:
  pid_t pid_ = -1;
  std::optional<int> exit_code_;
};

struct ProgramResult {
  int exit_code = -1;  // 128 + signal if one ended it; -1: still running at the deadline, and killed
  std::string out, err;
};

ProgramResult run_program(std::vector<std::string> argv, const std::vector<std::string>& environment = {},
                          std::string_view input = {}, std::chrono::milliseconds deadline = kSoon);

// All of a file; empty if there is none.
std::string read_text(const std::string& path);
void write_text(const std::string& path, std::string_view text);

}  // namespace tenon::test_support
