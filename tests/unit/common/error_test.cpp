#include "common/error.hpp"

#include <cerrno>

#include "common/clock.hpp"
#include "common/result.hpp"
#include "common/unique_fd.hpp"

#include <fcntl.h>

namespace tenon {
namespace {

TEST(Error, FromErrnoPicksTheCloserCodeAndNamesTheOperation) {
  const Error error = Error::from_errno(ENOENT, "open /x");
  EXPECT_EQ(error.code, errc::not_found);
  EXPECT_EQ(error.message, "open /x: No such file or directory");
  EXPECT_EQ(Error::from_errno(EACCES, "x").code, errc::permission);
  EXPECT_EQ(Error::from_errno(EIO, "x").code, errc::io);
  EXPECT_TRUE(Error::from_errno(EMFILE, "x").retryable);
}

TEST(Error, WithContextPutsTheCallersWordsFirst) {
  EXPECT_EQ(Error(errc::io, "broken").with_context("config").message, "config: broken");
}

TEST(Error, EveryCodeHasAName) {
  for (int code = 0; code <= 14; ++code) EXPECT_NE(to_string(static_cast<errc>(code)), "unknown") << code;
  EXPECT_EQ(to_string(static_cast<errc>(999)), "unknown");
}

Status fails() { return Error(errc::timeout, "late"); }
Result<int> passes_on() {
  TENON_TRY(fails());
  return 1;
}

TEST(Result, TryReturnsTheErrorFromTheCaller) {
  const Result<int> result = passes_on();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().message, "late");
}

TEST(Result, CarriesMoveOnlyValues) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(4);
  ASSERT_TRUE(result.ok());
  const std::unique_ptr<int> moved = *std::move(result);
  EXPECT_EQ(*moved, 4);
}

TEST(ResultDeathTest, ReadingAValueThatIsNotThereEndsTheProgram) {
  EXPECT_DEATH({ (void)passes_on().value(); }, "");
  EXPECT_DEATH({ (void)Status().error(); }, "");
}

TEST(ManualClock, MovesOnlyWhenTold) {
  ManualClock clock;
  const auto monotonic = clock.monotonic();
  const auto wall = clock.wall();
  clock.advance(std::chrono::seconds(2));
  clock.jump_wall(-std::chrono::hours(1));
  EXPECT_EQ(clock.monotonic() - monotonic, std::chrono::seconds(2));
  EXPECT_EQ(clock.wall() - wall, std::chrono::seconds(2) - std::chrono::hours(1));
}

TEST(UniqueFd, ClosesOnceAndKeepsErrno) {
  unique_fd fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int number = fd.get();
  unique_fd other = std::move(fd);
  EXPECT_FALSE(fd.valid());
  const unique_fd copy = other.duplicate();
  EXPECT_EQ(::fcntl(copy.get(), F_GETFD), FD_CLOEXEC);
  errno = EXDEV;
  other.reset();
  EXPECT_EQ(errno, EXDEV);
  EXPECT_EQ(::fcntl(number, F_GETFD), -1);
  EXPECT_FALSE(unique_fd().duplicate().valid());
}

}  // namespace
}  // namespace tenon
