// The worker's side of a channel in a test: descriptors that never block, and helpers that read and write them whole.
#pragma once

#include <csignal>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include "common/unique_fd.hpp"
#include "integration/worker_channel.hpp"

namespace tenon::integration {

struct WorkerEnd {
  unique_fd output;  // what the worker writes its events to
  unique_fd input;   // what it reads from; invalid for a socket, which is `output`

  int read_fd() const { return input.valid() ? input.get() : output.get(); }

  void write(std::string_view octets) const {
    ASSERT_EQ(::write(output.get(), octets.data(), octets.size()), static_cast<ssize_t>(octets.size()));
  }
  // At most `limit` octets of what is there.
  std::string read(std::size_t limit = 64u << 20) const {
    std::string all;
    char buffer[65536];
    while (all.size() < limit) {
      const ssize_t got = ::read(read_fd(), buffer, std::min(sizeof buffer, limit - all.size()));
      if (got <= 0) break;
      all.append(buffer, static_cast<std::size_t>(got));
    }
    return all;
  }
};

struct ChannelEnds {
  ChannelDescriptors host;
  WorkerEnd worker;
};

inline ChannelEnds make_pipes() {
  std::signal(SIGPIPE, SIG_IGN);  // as the engine does
  int out[2], in[2];
  if (::pipe2(out, O_CLOEXEC | O_NONBLOCK) != 0 || ::pipe2(in, O_CLOEXEC | O_NONBLOCK) != 0) std::abort();
  return {{unique_fd(out[0]), unique_fd(in[1])}, {unique_fd(out[1]), unique_fd(in[0])}};
}

inline ChannelEnds make_socket() {
  std::signal(SIGPIPE, SIG_IGN);
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) std::abort();
  return {{unique_fd(pair[0]), unique_fd()}, {unique_fd(pair[1]), unique_fd()}};
}

inline std::string packet(std::string_view octets) {
  std::string framed;
  for (int shift = 24; shift >= 0; shift -= 8) framed += static_cast<char>(octets.size() >> shift);
  return framed.append(octets);
}

// The lines of a text that ends with a line feed.
inline std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

}  // namespace tenon::integration
