// What the tests of transport/nats share: hosts at a real nats-server, and a client that speaks its protocol itself.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <sstream>

#include "plugins/transport_instance.hpp"
#include "support/nats_server.hpp"

namespace tenon::test_support {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::chrono_literals;
using namespace std::string_literals;

inline const tenon_transport& table() {
  static const LoadedPlugin plugin = LoadedPlugin::open("nats");
  return plugin.transport("nats");
}

// Short waits, so that a test of reconnecting takes no longer than it must.
inline constexpr const char* kQuick = R"({"reconnect_wait":"10ms"})";

class Nats : public ::testing::Test {
 protected:
  Nats() { TransportInstance::time_per_turn = 0ns; }
  std::unique_ptr<TransportInstance> make(const std::string& node, const std::string& config = kQuick) {
    return std::make_unique<TransportInstance>(table(), node, server_.url(), config);
  }
  std::unique_ptr<TransportInstance> join(const std::string& node, const std::string& config = kQuick) {
    auto instance = make(node, config);
    connect(*instance);
    return instance;
  }
  static void connect(TransportInstance& node) {
    const Started call = node.connect();
    ASSERT_EQ(call.status, TENON_OK) << call.error.text;
    ASSERT_TRUE(run_until([&] { return node.has_ended(call); }));
    ASSERT_TRUE(node.succeeded(call)) << node.ended(call)->error->text;
  }
  static void subscribe(TransportInstance& node, std::uint64_t number, const std::string& pattern,
                        const std::string& group = {}) {
    const Started call = node.subscribe(number, pattern, group);
    ASSERT_EQ(call.status, TENON_OK) << call.error.text;
    ASSERT_TRUE(run_until([&] { return node.succeeded(call); }));
  }
  static std::size_t received(const TransportInstance& node) { return node.host.incoming().size(); }
  static RecordedError error_of(TransportInstance& node, const Started& call) {
    if (call.status != TENON_OK) return call.error;
    EXPECT_TRUE(run_until([&] { return node.has_ended(call); }));
    const auto ended = node.ended(call);
    EXPECT_TRUE(ended && ended->error);
    return ended && ended->error ? *ended->error : RecordedError{};
  }

  NatsServer server_;
};

// A client that speaks the NATS protocol itself: what the rest of the world sends and sees, whatever nats.c makes of
// it.
class Stranger {
 public:
  explicit Stranger(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{10, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return;
    write("CONNECT {\"verbose\":false,\"headers\":true}\r\n");
    confirm();
  }
  ~Stranger() { ::close(fd_); }
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;

  void publish(const std::string& subject, const std::string& payload, const std::string& header = {},
               const std::string& value = {}) {
    const std::string headers = header.empty() ? "" : "NATS/1.0\r\n" + header + ": " + value + "\r\n\r\n";
    const std::string all = std::to_string(headers.size() + payload.size());
    write((headers.empty() ? "PUB " + subject + " " : "HPUB " + subject + " " + std::to_string(headers.size()) + " ") +
          all + "\r\n" + headers + payload + "\r\n");
    confirm();
  }
  void subscribe(const std::string& subject) {
    write("SUB " + subject + " 1\r\n");
    confirm();
  }
  // The next message: its headers as they came (empty: none) and its payload.
  std::pair<std::string, std::string> next() {
    for (;;) {
      std::istringstream words(line());
      std::string verb, subject, sid;
      std::size_t first = 0, second = 0;
      words >> verb >> subject >> sid >> first >> second;
      if (verb.empty()) return {"", "nothing came"};
      if (verb != "MSG" && verb != "HMSG") continue;
      const std::size_t headers = verb == "HMSG" ? first : 0, all = verb == "HMSG" ? second : first;
      const std::string octets = take(all + 2);
      return {octets.substr(0, headers), octets.substr(headers, all - headers)};
    }
  }

 private:
  void write(const std::string& octets) {
    ASSERT_EQ(::send(fd_, octets.data(), octets.size(), MSG_NOSIGNAL), static_cast<ssize_t>(octets.size()));
  }
  // A round trip, so that the server has taken all that was written.
  void confirm() {
    write("PING\r\n");
    for (std::string got = line(); got != "PONG"; got = line()) ASSERT_NE(got, "");
  }
  bool more() {
    char buffer[4096];
    const ssize_t got = ::recv(fd_, buffer, sizeof buffer, 0);
    if (got > 0) in_.append(buffer, static_cast<std::size_t>(got));
    return got > 0;
  }
  std::string line() {
    while (in_.find("\r\n") == std::string::npos) {
      if (!more()) return "";
    }
    const std::string out = in_.substr(0, in_.find("\r\n"));
    in_.erase(0, out.size() + 2);
    return out;
  }
  std::string take(std::size_t size) {
    while (in_.size() < size && more()) {
    }
    const std::string out = in_.substr(0, size);
    in_.erase(0, out.size());
    return out;
  }
  int fd_;
  std::string in_;
};

}  // namespace tenon::test_support
