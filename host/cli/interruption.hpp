// SIGINT and SIGTERM as something to wait for, so that a stream ends cleanly when the person has had enough.
#pragma once

#include <csignal>

#include "common/unique_fd.hpp"

namespace tenon::cli {

// From construction to destruction the two signals do not end the process but make fd() readable. Blocks them in the
// calling thread only: a command has one.
class Interruption {
 public:
  Interruption();
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;
  int fd() const noexcept { return fd_.get(); }  // -1 when the kernel refused: then the signals end the process as ever

 private:
  sigset_t before_{};
  unique_fd fd_;
};

}  // namespace tenon::cli
