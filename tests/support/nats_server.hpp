// A real nats-server for tests, on a free loopback port of its own.
//
// The model. Started → (paused ⇄ running) → killed → restarted on the same port … → killed, at the latest by the
// destructor or by the kernel when the test dies. Starting waits for the server's own word that it is ready, so no test
// polls; a server that does not come up ends the program with what it said.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "common/unique_fd.hpp"

namespace tenon::test_support {

class NatsServer {
 public:
  // `arguments`: further ones of nats-server, such as {"--user", "u", "--pass", "p"}.
  explicit NatsServer(std::vector<std::string> arguments = {});
  ~NatsServer();
  NatsServer(const NatsServer&) = delete;
  NatsServer& operator=(const NatsServer&) = delete;

  std::uint16_t port() const noexcept { return port_; }
  std::string url() const { return "nats://127.0.0.1:" + std::to_string(port_); }

  void kill();     // SIGKILL, and waits for its end; does nothing if it does not run
  void restart();  // kills it if it runs, and starts it on the same port
  void restart(std::vector<std::string> arguments);  // the same, with other arguments from now on
  void pause();    // SIGSTOP: connections stay open, nobody answers
  void resume();   // SIGCONT

  static bool is_installed();
  // Whether a test may skip because there is none. Not where TENON_SKIP_NOTHING is set, as packaging/test does: a test
  // that quietly tests nothing is what nobody notices.
  static bool may_be_missing();

 private:
  void start(std::uint16_t port);
  std::string wait_until_ready(int log_fd);

  std::vector<std::string> arguments_;
  pid_t pid_ = -1;
  std::uint16_t port_ = 0;
  unique_fd log_;
};

}  // namespace tenon::test_support
