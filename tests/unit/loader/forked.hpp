// Runs plugin code that kills its process in a process of its own.
#pragma once

#include <csignal>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace tenon::loader::test {

// Runs `body` in a child, which exits with 0 after it. Returns the wait status.
template <class Body>
int run_in_child(Body body) {
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    // The sanitizers' report of an abort is of no interest here.
    std::signal(SIGABRT, SIG_DFL);
    body();
    ::_exit(0);
  }
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status;
}

}  // namespace tenon::loader::test
