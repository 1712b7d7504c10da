// A TCP server on a loopback port of the kernel's choice that does to each connection what the test says.
//
// Connections are served one after the other on the server's own thread; each is closed when its script returns. The
// destructor ends the connection that is being served, so a script that waits for its peer never hangs a test.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/unique_fd.hpp"

namespace tenon::test_support {

class Connection {
 public:
  explicit Connection(int fd) : fd_(fd) {}
  // What the peer sends, up to and with the mark; what came, if it closes before. At most 1 MiB.
  std::string read_until(const std::string& mark);
  void write(const std::string& octets);
  // Returns when the peer has closed or the server is destroyed.
  void wait_for_close();

 private:
  int fd_;
};

class ScriptedServer {
 public:
  using Script = std::function<void(Connection&)>;
  explicit ScriptedServer(Script script);
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  std::uint16_t port() const noexcept { return port_; }
  // Scripts begun and ended so far. [any]
  std::size_t accepted() const;
  std::size_t served() const;

  // Reads a request up to its blank line, then answers with these octets.
  static Script answer(const std::string& octets);

 private:
  void serve();

  Script script_;
  std::uint16_t port_ = 0;
  unique_fd listener_;
  mutable std::mutex lock_;
  std::size_t accepted_ = 0, served_ = 0;
  int current_ = -1;
  bool stopping_ = false;
  std::thread thread_;
};

// A loopback port that is taken, but refuses connections, as long as this lives.
class RefusingPort {
 public:
  RefusingPort();
  std::uint16_t port() const noexcept { return port_; }

 private:
  std::uint16_t port_ = 0;
  unique_fd socket_;
};

// A loopback port whose backlog is full: a further connection is neither made nor refused.
class DeafPort {
 public:
  DeafPort();
  std::uint16_t port() const noexcept { return port_; }

 private:
  std::uint16_t port_ = 0;
  unique_fd listener_;
  std::vector<unique_fd> waiting_;
};

}  // namespace tenon::test_support
