// What the tests of the event module share: pipes, and a guard that ends a loop which would never end by itself.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <memory>
#include <string_view>

#include "common/unique_fd.hpp"
#include "event/loop.hpp"

namespace tenon::event {

struct Pipe {
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) std::abort();
    reader = unique_fd(ends[0]);
    writer = unique_fd(ends[1]);
  }
  void write(std::string_view bytes) const {
    ASSERT_EQ(::write(writer.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  // Reads everything that is there; returns how many bytes.
  std::size_t drain() const {
    char buffer[4096];
    std::size_t total = 0;
    for (ssize_t got; (got = ::read(reader.get(), buffer, sizeof buffer)) > 0;) total += static_cast<std::size_t>(got);
    return total;
  }
  unique_fd reader, writer;
};

inline std::unique_ptr<FdWatch> must_watch(Loop& loop, int fd, Interest wanted, Loop::FdCallback on_ready) {
  auto watch = loop.watch(fd, wanted, std::move(on_ready));
  if (!watch) {
    ADD_FAILURE() << watch.error().message;
    return nullptr;
  }
  return std::move(watch).value();
}

class LoopTest : public ::testing::Test {
 protected:
  std::unique_ptr<Loop> loop_ = make_loop();
};

}  // namespace tenon::event
