// A client that says exactly what the test wants, byte for byte, and reads answers as they are on the wire.
#pragma once

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <map>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "common/unique_fd.hpp"

namespace tenon::control {

struct RawAnswer {
  int status = 0;  // 0: the connection ended before a whole answer
  std::map<std::string, std::string> fields;
  std::string body;
};

class RawClient {
 public:
  explicit RawClient(unique_fd connected) : socket_(std::move(connected)) {
    timeval limit{.tv_sec = 30, .tv_usec = 0};  // only so that a broken server fails a test instead of hanging it
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }

  static RawClient to_unix(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    unique_fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      ADD_FAILURE() << "connect " << path << ": " << std::strerror(errno);
    }
    return RawClient(std::move(socket));
  }

  // What the server does not take any more because it has closed is no failure here: tests look at the answer.
  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t size = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (size <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(size));
    }
  }
  void get(const std::string& target, const std::string& fields = "") {
    send("GET " + target + " HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n");
  }
  void post(const std::string& target, const std::string& body, const std::string& fields = "") {
    send("POST " + target + " HTTP/1.1\r\nHost: x\r\n" + fields + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body);
  }

  // Reads until `mark` has come and returns everything before it; what follows stays for the next call.
  std::string read_until(std::string_view mark) {
    std::size_t at;
    while ((at = input_.find(mark)) == input_.npos) {
      if (!more()) return std::exchange(input_, {});
    }
    std::string before = input_.substr(0, at);
    input_.erase(0, at + mark.size());
    return before;
  }
  std::string read_exactly(std::size_t size) {
    while (input_.size() < size && more()) {
    }
    std::string bytes = input_.substr(0, size);
    input_.erase(0, bytes.size());
    return bytes;
  }
  std::string read_to_end() {
    while (more()) {
    }
    return std::exchange(input_, {});
  }
  bool at_end() { return input_.empty() && !more(); }

  RawAnswer head() {
    RawAnswer answer;
    const std::string text = read_until("\r\n\r\n");
    if (text.size() < 12) return answer;
    answer.status = std::stoi(text.substr(9, 3));
    for (std::size_t at = text.find("\r\n"); at != text.npos;) {
      const std::size_t end = text.find("\r\n", at + 2);
      const std::string line = text.substr(at + 2, end == text.npos ? end : end - at - 2);
      const std::size_t colon = line.find(": ");
      answer.fields[line.substr(0, colon)] = line.substr(colon + 2);
      at = end;
    }
    return answer;
  }
  RawAnswer answer() {
    RawAnswer whole = head();
    if (whole.fields.contains("Content-Length")) whole.body = read_exactly(std::stoul(whole.fields["Content-Length"]));
    return whole;
  }
  // The next chunk of a chunked body; empty at its end.
  std::string chunk() {
    const std::string size = read_until("\r\n");
    if (size.empty()) return {};
    std::string bytes = read_exactly(std::stoul(size, nullptr, 16));
    read_exactly(2);
    return bytes;
  }

  int fd() const { return socket_.get(); }
  void hang_up() { socket_.reset(); }

 private:
  bool more() {
    char bytes[65536];
    const ssize_t size = ::recv(socket_.get(), bytes, sizeof bytes, 0);
    if (size <= 0) return false;
    input_.append(bytes, static_cast<std::size_t>(size));
    return true;
  }

  unique_fd socket_;
  std::string input_;
};

}  // namespace tenon::control
