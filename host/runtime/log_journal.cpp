#include "runtime/log_journal.hpp"

#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

namespace tenon::runtime {
namespace {

constexpr std::size_t kDataAt = 4096;
constexpr std::size_t kBytes = kDataAt + LogJournal::kCapacity;
constexpr std::uint32_t kMagic = 0x316c6e6a;  // "jnl1": its layout
// No text in UTF-8 has these.
constexpr unsigned char kMark[] = {0xff, 0xc0, 0xfe, 0xc1, 0xfd, 0xf5, 0xfc, 0xf6,
                                   0xfb, 0xf7, 0xfa, 0xf8, 0xf9, 0xff, 0xfe, 0xc0};

}  // namespace

struct LogJournal::Header {
  std::uint32_t magic = 0;
  std::atomic<std::uint32_t> busy{0};
  std::uint32_t stream = 0, id_size = 0;
  std::uint64_t size = 0, inode = 0, file_size = 0;
  std::atomic<std::int64_t> newest{0};
  char id[kMaxId] = {};
};

Result<LogJournal> LogJournal::make() {
  LogJournal journal(unique_fd(::memfd_create("tenon-log", MFD_CLOEXEC)));
  if (!journal.memory_ || ::ftruncate(journal.memory_.get(), kBytes) != 0)
    return Error::from_errno(errno, "make memory for what is read of logs");
  TENON_TRY(journal.map());
  journal.header_->magic = kMagic;
  return journal;
}

Result<LogJournal> LogJournal::adopt(unique_fd memory) {
  struct stat info = {};
  const bool whole = ::fstat(memory.get(), &info) == 0 && info.st_size == static_cast<off_t>(kBytes);
  LogJournal journal(std::move(memory));
  if (whole) TENON_TRY(journal.map());
  if (whole && journal.header_->magic == kMagic) return journal;
  return Error(errc::bad_data, "what the former engine left of reading logs is of another version");
}

Status LogJournal::map() {
  void* const place = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory_.get(), 0);
  if (place == MAP_FAILED) return Error::from_errno(errno, "map the memory for what is read of logs");
  header_ = static_cast<Header*>(place);
  return {};
}

LogJournal::LogJournal(LogJournal&& other) noexcept
    : memory_(std::move(other.memory_)), header_(std::exchange(other.header_, nullptr)) {}
LogJournal& LogJournal::operator=(LogJournal&& other) noexcept {
  std::swap(memory_, other.memory_);
  std::swap(header_, other.header_);
  return *this;
}
LogJournal::~LogJournal() {
  if (header_) ::munmap(header_, kBytes);
}

char* LogJournal::data() const noexcept { return reinterpret_cast<char*>(header_) + kDataAt; }

std::optional<LogJournal::Unfinished> LogJournal::unfinished() const {
  const Header& header = *header_;
  if (header.busy.load(std::memory_order_acquire) == 0) return std::nullopt;
  const bool sound = header.size >= 1 && header.size <= kCapacity && header.id_size <= kMaxId && header.stream <= 1;
  if (!sound || std::memcmp(data(), kMark, std::min<std::size_t>(header.size, sizeof kMark)) == 0) return std::nullopt;
  Unfinished left;
  left.id.assign(header.id, header.id_size);
  left.stream = static_cast<LogStream>(header.stream);
  left.bytes.assign(data(), header.size);
  left.place = {header.inode, header.file_size};
  return left;
}

char* LogJournal::begin(std::string_view id, LogStream stream, std::size_t size, const LogPlace& place) {
  assert(size >= 1 && size <= kCapacity && stream != LogStream::host);
  Header& header = *header_;
  const std::size_t id_size = id.size() <= kMaxId ? id.size() : 0;
  std::memcpy(header.id, id.data(), id_size);
  header.id_size = static_cast<std::uint32_t>(id_size);
  header.stream = static_cast<std::uint32_t>(stream);
  header.size = size;
  header.inode = place.inode, header.file_size = place.size;
  std::memcpy(data(), kMark, sizeof kMark);
  header.busy.store(1, std::memory_order_release);
  return data();
}

void LogJournal::end() noexcept { header_->busy.store(0, std::memory_order_release); }

WallTime LogJournal::newest() const noexcept {
  return WallTime(std::chrono::nanoseconds(header_->newest.load(std::memory_order_relaxed)));
}
void LogJournal::set_newest(WallTime time) noexcept {
  header_->newest.store(time.time_since_epoch().count(), std::memory_order_relaxed);
}

}  // namespace tenon::runtime
