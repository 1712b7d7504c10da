#include "common/system.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/common/temporary_directory.hpp"

namespace tenon {
namespace {

using ::testing::HasSubstr;

mode_t mode_of(const std::string& path) {
  struct stat info {};
  ::lstat(path.c_str(), &info);
  return info.st_mode & 07777;
}

TEST(ReadFile, ReadsUpToTheLimit) {
  TemporaryDirectory dir;
  const std::string bytes("a\0b\xFF", 4);
  ASSERT_TRUE(write_file_atomically(dir / "f", bytes).ok());
  EXPECT_EQ(*read_file(dir / "f", 4), bytes);
  EXPECT_EQ(read_file(dir / "f", 3).error().code, errc::exhausted);
  EXPECT_EQ(read_file(dir / "none", 3).error().code, errc::not_found);
  EXPECT_THAT(read_file(dir / "none", 3).error().message, HasSubstr(dir / "none"));
  EXPECT_FALSE(read_file(dir.path(), 100).ok());
}

TEST(ReadFile, ReadsFilesThatSayTheyAreEmptyAndLargeOnes) {
  EXPECT_THAT(*read_file("/proc/self/status", 1 << 20), HasSubstr("VmSize"));
  TemporaryDirectory dir;
  const std::string big(3'000'000, 'x');
  ASSERT_TRUE(write_file_atomically(dir / "big", big).ok());
  EXPECT_EQ(read_file(dir / "big", 3'000'000)->size(), big.size());
  EXPECT_EQ(read_file("/dev/zero", 1'000).error().code, errc::exhausted);
}

TEST(ReadAll, ReadsAPipeToItsEnd) {
  Pipe pipe = *make_pipe();
  ASSERT_TRUE(write_all(pipe.write_end.get(), std::string(10'000, 'p'), "pipe").ok());
  pipe.write_end.reset();
  EXPECT_EQ(read_all(pipe.read_end.get(), 10'000, "pipe")->size(), 10'000u);
}

TEST(WriteFileAtomically, ReplacesTheFileWithExactlyItsMode) {
  TemporaryDirectory dir;
  const mode_t old_mask = ::umask(077);
  EXPECT_TRUE(write_file_atomically(dir / "f", "one", 0644).ok());
  ::umask(old_mask);
  EXPECT_EQ(mode_of(dir / "f"), 0644u);
  EXPECT_TRUE(write_file_atomically(dir / "f", "two", 0600).ok());
  EXPECT_EQ(*read_file(dir / "f", 10), "two");
  EXPECT_EQ(mode_of(dir / "f"), 0600u);
}

TEST(WriteFileAtomically, LeavesTheOldFileAndNoRestWhenItFails) {
  TemporaryDirectory dir;
  ::mkdir((dir / "d").c_str(), 0700);
  EXPECT_FALSE(write_file_atomically(dir / "d", "x").ok());  // rename over a directory
  EXPECT_FALSE(write_file_atomically(dir / "none/f", "x").ok());
  std::size_t entries = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(dir.path())) ++entries;
  EXPECT_EQ(entries, 1u);
}

TEST(Descriptors, AreCloseOnExecFromTheStart) {
  const Pipe pipe = *make_pipe(true);
  for (int fd : {pipe.read_end.get(), pipe.write_end.get()}) EXPECT_EQ(::fcntl(fd, F_GETFD), FD_CLOEXEC);
  EXPECT_TRUE(::fcntl(pipe.read_end.get(), F_GETFL) & O_NONBLOCK);
}

TEST(Paths, KnowTheDirectoryThatHoldsThem) {
  EXPECT_EQ(parent_of("/a/b"), "/a");
  EXPECT_EQ(parent_of("/a"), "/");
  EXPECT_EQ(parent_of("a"), ".");
}

TEST(Descriptors, SwitchFlags) {
  const Pipe pipe = *make_pipe();
  ASSERT_TRUE(set_nonblocking(pipe.read_end.get()).ok());
  EXPECT_TRUE(::fcntl(pipe.read_end.get(), F_GETFL) & O_NONBLOCK);
  ASSERT_TRUE(set_nonblocking(pipe.read_end.get(), false).ok());
  EXPECT_FALSE(::fcntl(pipe.read_end.get(), F_GETFL) & O_NONBLOCK);
  ASSERT_TRUE(set_close_on_exec(pipe.read_end.get(), false).ok());
  EXPECT_EQ(::fcntl(pipe.read_end.get(), F_GETFD), 0);
  EXPECT_FALSE(set_nonblocking(-1).ok());
}

TEST(WriteAll, TellsWhatItCouldNotWriteTo) {
  const Status status = write_all(-1, "x", "the pipe");
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, HasSubstr("the pipe"));
  EXPECT_TRUE(write_all(-1, "", "nothing to write").ok());
}

TEST(Host, HasANameAndABinary) {
  EXPECT_FALSE(hostname().empty());
  EXPECT_THAT(*executable_path(), HasSubstr("unit_common"));
}

TEST(MakePrivateDirectory, MakesItAndAcceptsItAgain) {
  TemporaryDirectory dir;
  EXPECT_TRUE(make_private_directory(dir / "p").ok());
  EXPECT_EQ(mode_of(dir / "p"), 0700u);
  EXPECT_TRUE(make_private_directory(dir / "p").ok());
}

TEST(MakePrivateDirectory, RefusesWhatOthersMayWriteLinksAndFiles) {
  TemporaryDirectory dir;
  ::mkdir((dir / "open").c_str(), 0700);
  ::chmod((dir / "open").c_str(), 0770);
  const Status open = make_private_directory(dir / "open");
  ASSERT_FALSE(open.ok());
  EXPECT_EQ(open.error().code, errc::permission);
  EXPECT_THAT(open.error().message, HasSubstr("chmod 700"));
  ::symlink(dir.path().c_str(), (dir / "link").c_str());
  EXPECT_FALSE(make_private_directory(dir / "link").ok());
  ASSERT_TRUE(write_file_atomically(dir / "file", "").ok());
  EXPECT_FALSE(make_private_directory(dir / "file").ok());
  EXPECT_FALSE(make_private_directory(dir / "none/below").ok());
}

TEST(MakePrivateDirectory, RefusesADirectoryOfSomebodyElse) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a directory away";
  TemporaryDirectory dir;
  ::mkdir((dir / "theirs").c_str(), 0700);
  ASSERT_EQ(::chown((dir / "theirs").c_str(), 12'345, 12'345), 0);
  EXPECT_THAT(make_private_directory(dir / "theirs").error().message, HasSubstr("belongs to user 12345"));
}

class RuntimeDirectory : public ::testing::Test {
 protected:
  RuntimeDirectory() {
    if (const char* value = std::getenv("XDG_RUNTIME_DIR")) saved_ = value;
  }
  ~RuntimeDirectory() override {
    saved_ ? ::setenv("XDG_RUNTIME_DIR", saved_->c_str(), 1) : ::unsetenv("XDG_RUNTIME_DIR");
  }
  std::optional<std::string> saved_;
};

TEST_F(RuntimeDirectory, IsBelowXdgRuntimeDirWhenThatIsOurs) {
  TemporaryDirectory dir;
  ::setenv("XDG_RUNTIME_DIR", dir.path().c_str(), 1);
  EXPECT_EQ(*user_runtime_directory(), dir / "tenon");
  EXPECT_EQ(mode_of(dir / "tenon"), 0700u);
}

TEST_F(RuntimeDirectory, IgnoresAnXdgRuntimeDirThatIsMissingRelativeOrForeign) {
  TemporaryDirectory dir;
  for (const std::string& value : {dir / "none", std::string("relative"), std::string("")}) {
    ::setenv("XDG_RUNTIME_DIR", value.c_str(), 1);
    EXPECT_THAT(*user_runtime_directory(), ::testing::AnyOf("/run/tenon", "/tmp/tenon-" + std::to_string(::geteuid())));
  }
  if (::geteuid() != 0) return;
  ASSERT_EQ(::chown(dir.path().c_str(), 12'345, 12'345), 0);
  ::setenv("XDG_RUNTIME_DIR", dir.path().c_str(), 1);
  EXPECT_THAT(*user_runtime_directory(), ::testing::AnyOf("/run/tenon", "/tmp/tenon-0"));
}

class DescriptorLimits : public ::testing::Test {
 protected:
  DescriptorLimits() { EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0); }
  ~DescriptorLimits() override { EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before_), 0); }

  rlimit before_{};
};

TEST_F(DescriptorLimits, AreThoseOfThisProcess) {
  const rlimit low{100, before_.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  EXPECT_EQ(descriptor_limit()->current, 100u);
  EXPECT_GE(descriptor_limit()->maximum, before_.rlim_max);
  rlimit after{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &after), 0);
  EXPECT_EQ(after.rlim_cur, 100u);
  EXPECT_EQ(after.rlim_max, before_.rlim_max) << "to ask changes nothing";
}

TEST_F(DescriptorLimits, AreRaisedToTheMaximumAndNoFurther) {
  const std::uint64_t maximum = descriptor_limit()->maximum;
  ASSERT_TRUE(raise_descriptor_limit().ok());
  EXPECT_EQ(descriptor_limit()->current, maximum);
  const rlimit more{maximum + 1, maximum + 1};
  EXPECT_NE(::setrlimit(RLIMIT_NOFILE, &more), 0);
}

}  // namespace
}  // namespace tenon
