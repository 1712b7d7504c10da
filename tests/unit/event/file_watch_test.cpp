#include "event/file_watch.hpp"

#include <sys/inotify.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

#include "event/fake_loop.hpp"
#include "loop_fixture.hpp"

namespace tenon::event {
namespace {

namespace fs = std::filesystem;

class FileWatchTest : public ::testing::Test {
 protected:
  FileWatchTest() {
    char pattern[] = "/tmp/tenon-file-watch-XXXXXX";
    if (::mkdtemp(pattern) == nullptr) std::abort();
    root_ = pattern;
    fs::create_directory(directory_ = root_ / "watched");
  }
  ~FileWatchTest() override { fs::remove_all(root_); }

  void open() {
    auto watch = FileWatch::open(loop_, directory_, [this](FileChange change, std::string_view name) {
      reports_.push_back({change, std::string(name)});
    });
    ASSERT_TRUE(watch) << watch.error().message;
    watch_ = std::move(watch).value();
  }
  void write(const fs::path& path) { std::ofstream(path) << "content"; }
  // The kernel queues a change before the call that made it returns.
  std::vector<FileReport> reports() {
    loop_.poll_descriptors();
    return std::exchange(reports_, {});
  }

  FakeLoop loop_;
  fs::path root_, directory_;
  std::vector<FileReport> reports_;
  std::unique_ptr<FileWatch> watch_;
};

TEST_F(FileWatchTest, FileIsReportedWhenItsWriterClosesIt) {
  open();
  {
    std::ofstream file(directory_ / "a.so");
    file << "half" << std::flush;
    EXPECT_TRUE(reports().empty()) << "half a file is no file";
  }
  EXPECT_EQ(reports(), (std::vector<FileReport>{{FileChange::written, "a.so"}}));
}

TEST_F(FileWatchTest, MovesInOutAndDeletionAreReportedByName) {
  open();
  write(root_ / "x.so");
  fs::rename(root_ / "x.so", directory_ / "b.so");
  fs::rename(directory_ / "b.so", root_ / "x.so");
  fs::rename(root_ / "x.so", directory_ / "c.so");
  fs::remove(directory_ / "c.so");
  EXPECT_EQ(reports(), (std::vector<FileReport>{{FileChange::moved_in, "b.so"},
                                                {FileChange::moved_out, "b.so"},
                                                {FileChange::moved_in, "c.so"},
                                                {FileChange::deleted, "c.so"}}));
}

TEST_F(FileWatchTest, SubdirectoriesAreNotReported) {
  open();
  fs::create_directory(directory_ / "sub");
  write(directory_ / "sub" / "inner");
  fs::remove_all(directory_ / "sub");
  EXPECT_TRUE(reports().empty());
}

TEST_F(FileWatchTest, DeletedDirectoryIsTheLastReport) {
  open();
  fs::remove(directory_);
  EXPECT_EQ(reports(), (std::vector<FileReport>{{FileChange::directory_gone, ""}}));
  EXPECT_EQ(loop_.live_watches(), 0u);
}

TEST_F(FileWatchTest, DirectoryMovedAwayIsGone) {
  open();
  fs::rename(directory_, root_ / "elsewhere");
  write(root_ / "elsewhere" / "a.so");
  EXPECT_EQ(reports(), (std::vector<FileReport>{{FileChange::directory_gone, ""}}));
}

TEST_F(FileWatchTest, CallbackMayDestroyTheWatchAndHearsNothingMore) {
  int calls = 0;
  auto watch = FileWatch::open(loop_, directory_, [&](FileChange, std::string_view) {
    ++calls;
    watch_.reset();
  });
  ASSERT_TRUE(watch);
  watch_ = std::move(watch).value();
  write(directory_ / "a");
  write(directory_ / "b");
  loop_.poll_descriptors();
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(loop_.live_watches(), 0u);
}

TEST_F(FileWatchTest, MissingDirectoryIsAnErrorThatNamesIt) {
  const auto watch = FileWatch::open(loop_, root_ / "absent", [](FileChange, std::string_view) {});
  ASSERT_FALSE(watch);
  EXPECT_EQ(watch.error().code, errc::not_found);
  EXPECT_NE(watch.error().message.find("absent"), std::string::npos);
}

TEST_F(FileWatchTest, FileInsteadOfADirectoryIsRefused) {
  write(root_ / "file");
  const auto watch = FileWatch::open(loop_, root_ / "file", [](FileChange, std::string_view) {});
  ASSERT_FALSE(watch);
  EXPECT_EQ(watch.error().code, errc::invalid_argument);
}

TEST_F(FileWatchTest, WorksOnTheRealLoop) {
  const auto loop = make_loop();
  std::vector<std::string> names;
  const auto watch = FileWatch::open(*loop, directory_, [&](FileChange, std::string_view name) {
    names.emplace_back(name);
    loop->stop();
  });
  ASSERT_TRUE(watch);
  loop->post([&] { write(directory_ / "dropped.so"); });
  loop->run();
  EXPECT_EQ(names, std::vector<std::string>{"dropped.so"});
}

std::vector<std::byte> raw_event(std::uint32_t mask, std::string_view name, std::uint32_t padded) {
  inotify_event event{};
  event.mask = mask;
  event.len = padded;
  std::vector<std::byte> bytes(sizeof event + padded);
  std::memcpy(bytes.data(), &event, sizeof event);
  std::memcpy(bytes.data() + sizeof event, name.data(), name.size());
  return bytes;
}

TEST(DecodeInotify, OverflowAsksForARescan) {
  EXPECT_EQ(decode_inotify(raw_event(IN_Q_OVERFLOW, "", 0)), (std::vector<FileReport>{{FileChange::rescan, ""}}));
}

TEST(DecodeInotify, NamesAreCutAtTheirPaddingAndMayFillTheWholeField) {
  EXPECT_EQ(decode_inotify(raw_event(IN_CLOSE_WRITE, "a.so", 16)),
            (std::vector<FileReport>{{FileChange::written, "a.so"}}));
  EXPECT_EQ(decode_inotify(raw_event(IN_CLOSE_WRITE, "0123456789abcdef", 16)),
            (std::vector<FileReport>{{FileChange::written, "0123456789abcdef"}}));
}

TEST(DecodeInotify, TruncatedAndUnknownEventsAreLeftOut) {
  auto bytes = raw_event(IN_CLOSE_WRITE, "a.so", 16);
  bytes.resize(bytes.size() - 1);
  EXPECT_TRUE(decode_inotify(bytes).empty());
  bytes.resize(sizeof(inotify_event) - 1);
  EXPECT_TRUE(decode_inotify(bytes).empty());
  EXPECT_TRUE(decode_inotify(raw_event(IN_IGNORED, "", 0)).empty());
  EXPECT_TRUE(decode_inotify({}).empty());
}

}  // namespace
}  // namespace tenon::event
