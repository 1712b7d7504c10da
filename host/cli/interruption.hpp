// Signals as something to wait for, so that what runs ends cleanly when the person has had enough.
#pragma once

#include <csignal>
#include <initializer_list>
#include <optional>

#include "common/unique_fd.hpp"

namespace tenon::cli {

// From construction to destruction the signals, SIGINT and SIGTERM if none are named, do not do what they do otherwise
// but make fd() readable. Blocks them in the calling thread only: a command has one.
class Interruption {
 public:
  explicit Interruption(std::initializer_list<int> signals = {SIGINT, SIGTERM});
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;
  int fd() const noexcept { return fd_.get(); }  // -1 when the kernel refused: then the signals act as ever
  // One that has come and was not taken yet.
  std::optional<int> take() const noexcept;

 private:
  sigset_t before_{};
  unique_fd fd_;
};

}  // namespace tenon::cli
