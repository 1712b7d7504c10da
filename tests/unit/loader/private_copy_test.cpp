#include "loader/private_copy.hpp"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "shelf_support.hpp"

namespace tenon::loader {
namespace {

using testing::HasSubstr;

PluginFile opened(const std::string& path) {
  auto file = PluginFile::open(path);
  EXPECT_TRUE(file.ok()) << (file.ok() ? "" : file.error().message);
  return std::move(file).value();
}

TEST(PrivateCopies, HoldsTheSameOctetsUnderANameOfItsOwnEachTime) {
  test::TemporaryDirectory files, base;
  const PluginFile file = opened(files.put("good", "x.so"));
  auto copies = PrivateCopies::open({base.path()});
  ASSERT_TRUE(copies.ok()) << copies.error().message;
  const auto first = copies->copy(file);
  const auto second = copies->copy(file);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_NE(first->path(), second->path());
  EXPECT_EQ(test::read_octets(first->path()), test::read_octets(test::shelf("good")));
  EXPECT_EQ(first->content(), second->content());
  EXPECT_THAT(first->path(), testing::EndsWith("-x.so"));
}

TEST(PrivateCopies, LetsNobodyElseIn) {
  test::TemporaryDirectory base;
  const auto copies = PrivateCopies::open({base.path()});
  ASSERT_TRUE(copies.ok());
  struct stat status {};
  ASSERT_EQ(::stat(copies->directory().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700u);
}

TEST(PrivateCopies, LeavesNothingBehind) {
  test::TemporaryDirectory files, base;
  const PluginFile file = opened(files.put("good", "x.so"));
  {
    auto copies = PrivateCopies::open({base.path()});
    ASSERT_TRUE(copies.ok());
    const auto copy = copies->copy(file);
    ASSERT_TRUE(copy.ok());
  }
  EXPECT_THAT(base.names(), testing::IsEmpty());
}

TEST(PrivateCopies, RemovesWhatADeadHostLeftAndNothingOfALivingOne) {
  test::TemporaryDirectory files, base;
  const std::string path = files.put("good", "x.so");
  const pid_t child = ::fork();
  if (child == 0) {
    auto copies = PrivateCopies::open({base.path()});
    auto copy = copies->copy(*PluginFile::open(path));
    ::_exit(copy.ok() ? 0 : 1);  // without destructors, as a crash would
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  ASSERT_EQ(base.names().size(), 1u);

  const auto living = PrivateCopies::open({base.path()});
  ASSERT_TRUE(living.ok());
  EXPECT_EQ(base.names().size(), 1u);
  const auto second = PrivateCopies::open({base.path()});
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(base.names().size(), 2u);
}

TEST(PrivateCopies, TakesTheFirstBaseThatServes) {
  test::TemporaryDirectory base;
  const auto copies = PrivateCopies::open({"/proc/tenon", "/nowhere/at/all", base.path()});
  ASSERT_TRUE(copies.ok()) << copies.error().message;
  EXPECT_TRUE(copies->directory().starts_with(base.path()));
}

TEST(PrivateCopies, NamesEveryBaseThatDoesNotServe) {
  const auto copies = PrivateCopies::open({"/proc/tenon", "/nowhere/at/all"});
  ASSERT_FALSE(copies.ok());
  EXPECT_THAT(copies.error().message, testing::AllOf(HasSubstr("/proc/tenon"), HasSubstr("/nowhere/at/all")));
}

TEST(PrivateCopies, NoticesAFileThatIsBeingWritten) {
  test::TemporaryDirectory files, base;
  const std::string path = files.put("good", "x.so");
  const PluginFile file = opened(path);
  auto copies = PrivateCopies::open({base.path()});
  ASSERT_TRUE(copies.ok());
  test::write_octets(path, test::read_octets(path) + "more");
  const auto copy = copies->copy(file);
  ASSERT_FALSE(copy.ok());
  EXPECT_TRUE(copy.error().retryable);
}

TEST(PluginFile, IsRefusedWhenOthersCanWriteIt) {
  test::TemporaryDirectory files;
  const std::string path = files.put("good", "x.so");
  ASSERT_EQ(::chmod(path.c_str(), 0666), 0);
  const auto file = PluginFile::open(path);
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.error().code, errc::permission);
  EXPECT_TRUE(PluginFile::open_for_inspection(path).ok());
}

TEST(PluginFile, IsNeverAFifoOrADirectory) {
  test::TemporaryDirectory files;
  ASSERT_EQ(::mkfifo(files.at("x.so").c_str(), 0600), 0);
  const auto fifo = PluginFile::open(files.at("x.so"));
  ASSERT_FALSE(fifo.ok());
  EXPECT_THAT(fifo.error().message, HasSubstr("not a regular file"));
  EXPECT_FALSE(PluginFile::open(files.path()).ok());
}

TEST(PluginFile, IsCheckedWhereASymbolicLinkLeads) {
  test::TemporaryDirectory files, elsewhere;
  const std::string target = elsewhere.put("good", "real.so");
  std::filesystem::create_symlink(target, files.at("x.so"));
  EXPECT_TRUE(PluginFile::open(files.at("x.so")).ok());
  ASSERT_EQ(::chmod(target.c_str(), 0666), 0);
  EXPECT_FALSE(PluginFile::open(files.at("x.so")).ok());
}

}  // namespace
}  // namespace tenon::loader
