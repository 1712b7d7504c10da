// What the tests of transport/local share: hosts that meet at one socket, all in this process, and a client that speaks
// octets instead of the protocol.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugins/transport_instance.hpp"

namespace tenon::test_support {
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace std::chrono_literals;
using namespace std::string_literals;

inline const tenon_transport& table() {
  static const LoadedPlugin plugin = LoadedPlugin::open("local");
  return plugin.transport("local");
}

// A client that speaks octets instead of the protocol.
class RawPeer {
 public:
  explicit RawPeer(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~RawPeer() { close(); }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  bool connected() const { return connected_; }
  void write(const std::string& octets) {
    ASSERT_EQ(::send(fd_, octets.data(), octets.size(), MSG_NOSIGNAL), static_cast<ssize_t>(octets.size()));
  }
  // Whether the other side has hung up; what it said before is thrown away.
  bool was_closed() {
    char buffer[4096];
    for (;;) {
      const ssize_t got = ::recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT);
      if (got == 0) return true;
      if (got < 0) return errno == ECONNRESET;
    }
  }

 private:
  int fd_;
  bool connected_ = false;
};

inline std::string big_endian(std::uint64_t value, int size) {
  std::string out;
  for (int i = size; i-- > 0;) out.push_back(static_cast<char>(value >> (8 * i) & 0xff));
  return out;
}
inline std::string text8(const std::string& text) { return big_endian(text.size(), 1) + text; }
inline std::string text16(const std::string& text) { return big_endian(text.size(), 2) + text; }
inline std::string frame(int type, std::uint64_t number, const std::string& body) {
  return big_endian(10 + body.size(), 4) + big_endian(static_cast<std::uint64_t>(type), 1) + "\0"s +
         big_endian(number, 8) + body;
}
inline std::string hello(const std::string& node, std::uint64_t version = 1) {
  return frame(1, version, text8(node) + big_endian(1 << 20, 4));
}

class Local : public ::testing::Test {
 protected:
  Local() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tenon-local-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    path_ = directory_ + "/bus.sock";
  }
  ~Local() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<TransportInstance> make(const std::string& node, const std::string& config = "{}") {
    return std::make_unique<TransportInstance>(table(), node, "unix://" + path_, config);
  }
  // A node that is connected; the first one listens.
  std::unique_ptr<TransportInstance> join(const std::string& node, const std::string& config = "{}") {
    auto instance = make(node, config);
    const Started call = instance->connect();
    EXPECT_TRUE(run_until([&] { return instance->has_ended(call); }));
    EXPECT_TRUE(instance->succeeded(call));
    return instance;
  }
  static void subscribe(TransportInstance& node, std::uint64_t number, const std::string& pattern,
                        const std::string& group = {}) {
    const Started call = node.subscribe(number, pattern, group);
    ASSERT_EQ(call.status, TENON_OK) << call.error.text;
    ASSERT_TRUE(run_until([&] { return node.succeeded(call); }));
  }
  static std::size_t received(const TransportInstance& node) { return node.host.incoming().size(); }

  std::string directory_, path_;
};

}  // namespace tenon::test_support
