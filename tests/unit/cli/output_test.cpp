#include "cli/output.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>

#include "common/unique_fd.hpp"

namespace tenon::cli {
namespace {

struct Pipe {
  Pipe() {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    reader = unique_fd(ends[0]);
    writer = unique_fd(ends[1]);
  }
  std::string drain() {
    writer.reset();
    char bytes[256];
    const ssize_t size = ::read(reader.get(), bytes, sizeof bytes);
    return size > 0 ? std::string(bytes, static_cast<std::size_t>(size)) : "";
  }
  unique_fd reader, writer;
};

TEST(Output, ComplaintIsOneLine) {
  Pipe out, error;
  Output output(out.writer.get(), error.writer.get());
  output.complain("first\nsecond\r");
  EXPECT_EQ(error.drain(), "tenon: first second \n");
  EXPECT_EQ(out.drain(), "");
}

TEST(Output, PipeHasNoColour) {
  Pipe out;
  EXPECT_FALSE(Output(out.writer.get(), out.writer.get()).style().colour);
}

TEST(Output, KnowsHowWideATerminalIs) {
  const unique_fd terminal(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(terminal.valid());
  EXPECT_EQ(Output(terminal.get(), terminal.get()).style().columns, Style::kAnyWidth) << "it does not know itself";
  winsize window{};
  window.ws_col = 91;
  ASSERT_EQ(::ioctl(terminal.get(), TIOCSWINSZ, &window), 0);
  EXPECT_EQ(Output(terminal.get(), terminal.get()).style().columns, 91u);
  Pipe out;
  EXPECT_EQ(Output(out.writer.get(), out.writer.get()).style().columns, Style::kAnyWidth);
}

TEST(Output, TerminalHasColourUnlessToldOtherwise) {
  const unique_fd terminal(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(terminal.valid());
  ::unsetenv("NO_COLOR");
  EXPECT_TRUE(Output(terminal.get(), terminal.get()).style().colour);
  ::setenv("NO_COLOR", "1", 1);
  EXPECT_FALSE(Output(terminal.get(), terminal.get()).style().colour);
  ::unsetenv("NO_COLOR");
}

TEST(Output, ReaderThatHasGoneIsSeen) {
  ::signal(SIGPIPE, SIG_IGN);
  Pipe out;
  out.reader.reset();
  Output output(out.writer.get(), out.writer.get());
  EXPECT_FALSE(output.print("x"));
  EXPECT_EQ(output.write_error(), EPIPE);
}

TEST(Output, FullDiskIsNoQuietEnd) {
  const unique_fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  Output output(full.get(), full.get());
  EXPECT_FALSE(output.print("x"));
  EXPECT_EQ(output.write_error(), ENOSPC);
}

}  // namespace
}  // namespace tenon::cli
