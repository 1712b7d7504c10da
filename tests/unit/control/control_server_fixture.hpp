// A server on a real loop in a thread of its own, a host that the test scripts, and clients in the test's thread.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/un.h>

#include <future>
#include <thread>

#include "control/control_server.hpp"
#include "fake_host.hpp"
#include "raw_client.hpp"

namespace tenon::control {

class ControlServerTest : public ::testing::Test {
 protected:
  ControlServerTest() {
    char name[] = "/tmp/tenon-control-XXXXXX";
    directory_ = ::mkdtemp(name);
    path_ = directory_ + "/s";
  }
  ~ControlServerTest() override {
    if (thread_.joinable()) {
      loop_->post([this] {
        server_.reset();
        loop_->stop();
      });
      thread_.join();
    }
    ::unlink(path_.c_str());
    ::rmdir(directory_.c_str());
  }

  void serve(ServerOptions options = {}, const std::string& tcp_token = "") {
    server_ = std::make_unique<ControlServer>(*loop_, host_, metrics_, std::move(options));
    ASSERT_TRUE(server_->serve_unix(listen_unix()).ok());
    if (!tcp_token.empty()) {
      ASSERT_TRUE(server_->serve_tcp(listen_tcp(), tcp_token).ok());
    }
    thread_ = std::thread([this] { loop_->run(); });
  }

  // Runs it on the loop and waits for its result.
  template <class Function>
  auto on_loop(Function function) {
    std::packaged_task<decltype(function())()> task(std::move(function));
    auto result = task.get_future();
    loop_->post([&task] { task(); });
    return result.get();
  }
  // Lets the loop take turns until the condition, looked at on the loop, holds. A test that waits in vain ends by its
  // timeout.
  template <class Condition>
  void wait_until(Condition condition) {
    while (!on_loop(condition)) std::this_thread::yield();
  }

  RawClient connect() { return RawClient::to_unix(path_); }
  RawClient connect_tcp() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    unique_fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return RawClient(std::move(socket));
  }
  std::uint64_t requests_counted(const std::string& route, const std::string& code) {
    return on_loop([&] {
      auto family = metrics_.counters({.name = "tenon_http_requests_total", .labels = {"route", "code"}});
      return family->with({route, code}).value();
    });
  }

  std::unique_ptr<event::Loop> loop_ = event::make_loop();
  FakeHost host_;  // the loop's while it runs
  metrics::Registry metrics_;
  std::unique_ptr<ControlServer> server_;

 private:
  unique_fd listen_unix() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.c_str(), path_.size() + 1);
    unique_fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(socket.get(), 512), 0);
    return socket;
  }
  unique_fd listen_tcp() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    unique_fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(socket.get(), 16), 0);
    EXPECT_EQ(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    return socket;
  }

  event::Handle keep_running_ = loop_->every(std::chrono::hours(1), [] {});  // also without a server
  std::string directory_, path_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace tenon::control
