#include "common/secure_path.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/system.hpp"
#include "unit/common/temporary_directory.hpp"

namespace tenon {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// /tmp/tenon-test-XXXXXX/plugins/x.so, all of it ours.
class SecurePath : public ::testing::Test {
 protected:
  SecurePath() {
    ::mkdir(directory_.c_str(), 0755);
    EXPECT_TRUE(write_file_atomically(file_, "x", 0644).ok());
  }
  Status check(const std::string& path) {
    const unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_TRUE(fd.valid());
    return check_secure_file(fd.get(), path);
  }
  Status check() { return check(file_); }

  TemporaryDirectory top_;
  std::string directory_ = top_ / "plugins";
  std::string file_ = directory_ + "/x.so";
};

TEST_F(SecurePath, AcceptsOurOwnFileBelowStickyTmp) {
  const Status status = check();
  EXPECT_TRUE(status.ok()) << status.error().message;
  EXPECT_TRUE(check_secure_directory(directory_).ok());
  EXPECT_TRUE(check_secure_directory("/").ok());
}

TEST_F(SecurePath, RefusesAFileThatOthersCanWriteAndSaysHowToMendIt) {
  for (mode_t mode : {0666, 0664, 0646}) {
    ::chmod(file_.c_str(), mode);
    const Status status = check();
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, errc::permission);
    EXPECT_THAT(status.error().message,
                AllOf(HasSubstr(file_), HasSubstr("mode 06"), HasSubstr("chmod go-w " + file_)));
  }
}

TEST_F(SecurePath, RefusesADirectoryAboveThatOthersCanWrite) {
  ::chmod(directory_.c_str(), 0777);
  EXPECT_THAT(check().error().message, HasSubstr("chmod go-w " + directory_));
  EXPECT_FALSE(check_secure_directory(directory_).ok());
  ::chmod(directory_.c_str(), 0755);
  ::chmod(top_.path().c_str(), 0770);
  EXPECT_THAT(check().error().message, HasSubstr("chmod go-w " + top_.path()));
}

TEST_F(SecurePath, RefusesAFileDirectlyInAStickyDirectory) {
  const std::string file = "/tmp/tenon-secure-path-" + std::to_string(::getpid()) + ".so";
  ASSERT_TRUE(write_file_atomically(file, "x", 0644).ok());
  const Status status = check(file);
  ::unlink(file.c_str());
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, HasSubstr("/tmp (owner 0, mode 1777)"));
}

TEST_F(SecurePath, ChecksTheDirectoryThatALinkLeadsTo) {
  const std::string link = top_ / "link.so";
  ::symlink(file_.c_str(), link.c_str());
  EXPECT_TRUE(check(link).ok());
  ::chmod(directory_.c_str(), 0777);
  EXPECT_THAT(check(link).error().message, HasSubstr(directory_));
}

TEST_F(SecurePath, NoticesThatTheNameNoLongerLeadsToTheOpenFile) {
  const unique_fd fd(::open(file_.c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(write_file_atomically(file_, "other", 0644).ok());
  const Status status = check_secure_file(fd.get(), file_);
  ASSERT_FALSE(status.ok());
  EXPECT_TRUE(status.error().retryable);
  ::unlink(file_.c_str());
  EXPECT_FALSE(check_secure_file(fd.get(), file_).ok());
}

TEST_F(SecurePath, RefusesWhatIsNoRegularFileOrNoDirectory) {
  EXPECT_THAT(check(directory_).error().message, HasSubstr("not a regular file"));
  EXPECT_THAT(check_secure_directory(file_).error().message, HasSubstr("not a directory"));
  EXPECT_EQ(check_secure_directory(top_ / "none").error().code, errc::not_found);
}

TEST_F(SecurePath, RefusesForeignOwners) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  ASSERT_EQ(::chown(file_.c_str(), 12'345, 12'345), 0);
  EXPECT_THAT(check().error().message, AllOf(HasSubstr("owner 12345"), HasSubstr("chown 0 " + file_)));
  ASSERT_EQ(::chown(file_.c_str(), 0, 0), 0);
  ASSERT_EQ(::chown(top_.path().c_str(), 12'345, 12'345), 0);
  EXPECT_THAT(check().error().message, HasSubstr(top_.path() + " (owner 12345"));
  ASSERT_EQ(::chown(top_.path().c_str(), 0, 0), 0);
}

}  // namespace
}  // namespace tenon
