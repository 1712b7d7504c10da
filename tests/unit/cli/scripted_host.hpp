// A unix socket that does to each connection what the test says, one after the other, on a thread of its own.
#pragma once

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "common/unique_fd.hpp"

namespace tenon::cli {

class ScriptedHost {
 public:
  class Peer {
   public:
    explicit Peer(int fd) : fd_(fd) {}
    // Head and body of one request; what there was if the client ends before.
    std::string read_request() {
      std::string text;
      std::size_t wanted = std::string::npos;
      char bytes[4096];
      while (text.size() < wanted) {
        const ssize_t size = ::recv(fd_, bytes, sizeof bytes, 0);
        if (size <= 0) break;
        text.append(bytes, static_cast<std::size_t>(size));
        const std::size_t end = text.find("\r\n\r\n");
        if (end == text.npos) continue;
        const std::size_t length = text.find("Content-Length: ");
        wanted = end + 4 + (length < end ? std::stoul(text.substr(length + 16)) : 0);
      }
      return text;
    }
    void write(const std::string& bytes) { (void)!::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
    void wait_for_close() {
      char byte;
      while (::recv(fd_, &byte, 1, 0) > 0) {
      }
    }

   private:
    int fd_;
  };
  using Script = std::function<void(Peer&, const std::string& request)>;

  // Connections beyond the scripts get the last one.
  explicit ScriptedHost(std::vector<Script> scripts) : scripts_(std::move(scripts)) {
    char name[] = "/tmp/tenon-cli-XXXXXX";
    directory_ = ::mkdtemp(name);
    path_ = directory_ + "/s";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.c_str(), path_.size() + 1);
    listener_ = unique_fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_.get(), 16), 0);
    thread_ = std::thread([this] { serve(); });
  }
  ~ScriptedHost() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
    ::unlink(path_.c_str());
    ::rmdir(directory_.c_str());
  }

  const std::string& path() const { return path_; }
  std::vector<std::string> requests() const {
    const std::lock_guard guard(lock_);
    return requests_;
  }

  static std::string answer(int status, const std::string& body, const std::string& fields = "") {
    return "HTTP/1.1 " + std::to_string(status) + " X\r\n" + fields + "Content-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
  }
  static Script answering(int status, const std::string& body, const std::string& fields = "") {
    return [=](Peer& peer, const std::string&) { peer.write(answer(status, body, fields)); };
  }
  // Closes without an answer, as an engine that is killed does.
  static Script dying() {
    return [](Peer&, const std::string&) {};
  }
  // What the keeper says while there is no engine.
  static Script restarting() {
    return answering(503, R"({"type":"about:blank","status":503,"detail":"The engine is being restarted."})",
                     "Retry-After: 1\r\n");
  }
  static std::string chunk(const std::string& bytes) {
    char size[20];
    std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
    return size + bytes + "\r\n";
  }
  // The head of a stream and these items; then it ends cleanly or the connection breaks.
  static Script streaming(std::vector<std::string> items, bool cleanly) {
    return [=](Peer& peer, const std::string&) {
      peer.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
      for (const std::string& item : items) peer.write(chunk("data: " + item + "\n\n"));
      if (cleanly) peer.write("0\r\n\r\n");
    };
  }

 private:
  void serve() {
    for (std::size_t i = 0;; ++i) {
      const unique_fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!socket) return;
      Peer peer(socket.get());
      const std::string request = peer.read_request();
      {
        const std::lock_guard guard(lock_);
        requests_.push_back(request);
      }
      scripts_[std::min(i, scripts_.size() - 1)](peer, request);
    }
  }

  std::vector<Script> scripts_;
  std::string directory_, path_;
  unique_fd listener_;
  mutable std::mutex lock_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

}  // namespace tenon::cli
