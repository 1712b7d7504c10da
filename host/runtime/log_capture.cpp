#include "runtime/log_capture.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <optional>

#include "common/bounded_ring.hpp"
#include "common/rfc3339.hpp"
#include "common/system.hpp"
#include "common/units.hpp"
#include "runtime/line_splitter.hpp"
#include "runtime/log_file.hpp"
#include "runtime/token_bucket.hpp"

namespace tenon::runtime {
namespace {

// A line in the ring: stream digit, '+' if it was cut, 16 hexadecimal digits of wall time, the text, LF. Text, so that
// the ring's own notion of lines finds the first whole one after old bytes were overwritten.
constexpr std::size_t kHeader = 18;
constexpr std::size_t kSmallestRing = 1024;
constexpr Duration kDropNotice = std::chrono::seconds(1);

void append_record(std::string& out, const LogLine& line) {
  out.push_back(static_cast<char>('0' + static_cast<int>(line.stream)));
  out.push_back(line.cut ? '+' : ' ');
  std::array<char, 17> time;
  const auto nanoseconds = static_cast<unsigned long long>(line.at.time_since_epoch().count());
  std::snprintf(time.data(), time.size(), "%016llx", nanoseconds);
  out.append(time.data(), 16);
  out += line.text;
  out.push_back('\n');
}

// Empty for what is no whole record: the ring may hold the end of one at its beginning.
std::optional<LogLine> read_record(std::string_view record) {
  if (record.size() < kHeader || record[0] < '0' || record[0] > '2') return std::nullopt;
  LogLine line;
  line.stream = static_cast<LogStream>(record[0] - '0');
  line.cut = record[1] == '+';
  std::uint64_t nanoseconds = 0;
  const auto [end, code] = std::from_chars(record.data() + 2, record.data() + kHeader, nanoseconds, 16);
  if (code != std::errc() || end != record.data() + kHeader) return std::nullopt;
  line.at = WallTime(Duration(static_cast<Duration::rep>(nanoseconds)));
  line.text = record.substr(kHeader);
  return line;
}

}  // namespace

struct LogCapture::Subscription {
  LineCallback on_line;
};

struct LogCapture::Stream {
  Stream(LogStream k, std::size_t max_line) : kind(k), splitter(max_line) {}
  LogStream kind;
  unique_fd descriptor;
  std::unique_ptr<event::FdWatch> watch;  // destroyed before the descriptor is closed
  LineSplitter splitter;
  MonotonicTime slot_began{};
  std::size_t slot_bytes = 0;
  event::Handle resume;

  void close() noexcept {
    resume.reset();
    watch.reset();
    descriptor.reset();
  }
};

class LogCapture::ProcessLog {
 public:
  // The id is the owner's key of it.
  ProcessLog(LogCapture& owner, const ProcessId& id, const LogConfig& config) : owner_(owner), id_(id) {
    configure(config);
  }
  ~ProcessLog() {
    for (auto& stream : streams_) {
      if (stream) stream->close();
    }
  }

  void configure(const LogConfig& config) {
    const std::size_t ring = std::max(config.ring_bytes, kSmallestRing);
    if (ring != ring_bytes_) base_ = end_position(), ring_.reset();
    ring_bytes_ = ring;
    bucket_ = TokenBucket(config.rate_bytes, config.burst_bytes);
    rate_bytes_ = config.rate_bytes;
    const LogFile::Limits limits{config.max_file_bytes, config.keep_files, config.max_age};
    if (file_ && config.file && file_->path() == *config.file && file_->limits() == limits) return;
    file_ = config.file ? std::make_unique<LogFile>(*config.file, limits,
                                                    [this](const Error& problem, bool) { report(problem); })
                        : nullptr;
  }

  Status attach(LogStream kind, unique_fd descriptor) {
    detach(kind);
    if (Status set = set_nonblocking(descriptor.get()); !set) return set;
    auto stream = std::make_unique<Stream>(kind, max_line());
    Stream* const raw = stream.get();
    auto watch =
        owner_.loop_.watch(descriptor.get(), event::Interest::read, [this, raw](event::Interest) { ready(*raw); });
    if (!watch) return std::move(watch).error();
    stream->watch = std::move(watch).value();
    stream->descriptor = std::move(descriptor);
    streams_[static_cast<std::size_t>(kind)] = std::move(stream);
    return {};
  }

  void detach(LogStream kind) {
    const auto stream = std::move(streams_[static_cast<std::size_t>(kind)]);
    if (!stream) return;
    for (std::size_t taken = 0; taken < kSlotBytes;) {
      const ssize_t size = read_once(*stream);
      if (size <= 0) break;
      taken += static_cast<std::size_t>(size);
    }
    finish(*stream);
  }

  void append_line(LogStream kind, std::string_view text) {
    const WallTime now = owner_.loop_.clock().wall();
    LineSplitter splitter(max_line());
    const LineSplitter::Sink sink = [&](std::string_view line, bool cut) { take_line(kind, now, line, cut); };
    splitter.feed(text, sink);
    splitter.finish(sink);
    if (text.empty()) take_line(kind, now, {}, false);
    write_file();
  }

  void last_lines(std::size_t count, const LineCallback& visit) const {
    if (!ring_ || count == 0) return;
    const std::string held = ring_->contents();
    std::size_t begin = held.size();  // just behind the LF of the line before the wanted ones
    for (std::size_t lines = 0; begin > 0; --begin) {
      if (held[begin - 1] == '\n' && lines++ == count) break;
    }
    visit_records(std::string_view(held).substr(begin), begin == 0 && ring_->total() > held.size(), visit);
  }

  std::uint64_t end_position() const noexcept { return base_ + (ring_ ? ring_->total() : 0); }

  Result<Follower> follow(std::uint64_t from, LineCallback on_line) {
    std::erase_if(followers_, [](const auto& follower) { return follower.expired(); });
    if (followers_.size() >= kMaxFollowers) {
      return Error(errc::exhausted, "the log of " + id_ + " has " + std::to_string(kMaxFollowers) +
                                        " followers already; end one of them first");
    }
    auto subscription = std::make_shared<Subscription>(Subscription{std::move(on_line)});
    replay(from, *subscription);
    followers_.push_back(subscription);
    return Follower(std::move(subscription));
  }

  const Counters& counters() const noexcept { return counters_; }

 private:
  std::size_t max_line() const noexcept { return std::min(kMaxLine, ring_bytes_ / 2 - kHeader - 1); }

  void report(const Error& problem) {
    if (owner_.on_problem_) owner_.on_problem_(id_, problem);
  }

  void ready(Stream& stream) {
    const ssize_t size = read_once(stream);
    if (size < 0) return;
    if (size == 0) {
      const LogStream kind = stream.kind;
      const auto last = std::move(streams_[static_cast<std::size_t>(kind)]);
      finish(*last);
      if (owner_.on_closed_) owner_.on_closed_(ProcessId(id_), kind);  // may remove this log: nothing after it
      return;
    }
    throttle(stream, static_cast<std::size_t>(size));
  }

  // Bytes read; 0 at the end of the stream (or an error, which ends it too); -1 when nothing is there now.
  ssize_t read_once(Stream& stream) {
    // One buffer for all streams of the thread: it is used only within this call.
    static thread_local std::array<char, kReadBytes> buffer;
    ssize_t size;
    do {
      size = ::read(stream.descriptor.get(), buffer.data(), buffer.size());
    } while (size < 0 && errno == EINTR);
    if (size < 0) return errno == EAGAIN ? -1 : 0;
    if (size == 0) return 0;
    const WallTime now = owner_.loop_.clock().wall();
    stream.splitter.feed({buffer.data(), static_cast<std::size_t>(size)},
                         [&](std::string_view text, bool cut) { take_line(stream.kind, now, text, cut); });
    write_file();
    return size;
  }

  void throttle(Stream& stream, std::size_t size) {
    const MonotonicTime now = owner_.loop_.clock().monotonic();
    if (now - stream.slot_began >= kSlot) stream.slot_began = now, stream.slot_bytes = 0;
    stream.slot_bytes += size;
    if (stream.slot_bytes < kSlotBytes) return;
    stream.watch->set_interest(event::Interest::none);
    stream.resume = owner_.loop_.after(kSlot - (now - stream.slot_began),
                                       [&stream] { stream.watch->set_interest(event::Interest::read); });
  }

  void finish(Stream& stream) {
    const WallTime now = owner_.loop_.clock().wall();
    stream.splitter.finish([&](std::string_view text, bool cut) { take_line(stream.kind, now, text, cut); });
    note_drops();
    write_file();
    stream.close();
  }

  void take_line(LogStream stream, WallTime at, std::string_view text, bool cut) {
    if (!bucket_.take(text.size() + 1, owner_.loop_.clock().monotonic())) return drop(text.size() + 1);
    note_drops();
    ++counters_.lines, counters_.bytes += text.size() + 1;
    keep({stream, at, cut, text});
  }

  void drop(std::size_t bytes) {
    ++counters_.dropped_lines, counters_.dropped_bytes += bytes;
    ++dropped_lines_, dropped_bytes_ += bytes;
    // Said at the next line that is kept, or after a while if none comes.
    if (!drop_timer_.active()) drop_timer_ = owner_.loop_.after(kDropNotice, [this] { note_drops(), write_file(); });
  }

  void note_drops() {
    drop_timer_.reset();
    if (dropped_lines_ == 0) return;
    const std::string text = std::to_string(dropped_lines_) + " lines (" + format_bytes(dropped_bytes_) +
                             ") dropped: over the rate of " + format_bytes(rate_bytes_) + " a second";
    dropped_lines_ = dropped_bytes_ = 0;
    keep({LogStream::host, owner_.loop_.clock().wall(), false, text});
  }

  void keep(LogLine line) {
    if (!ring_) ring_.emplace(ring_bytes_);
    std::string& record = owner_.record_;
    record.clear();
    append_record(record, line);
    ring_->append(record);
    line.position = end_position();
    if (file_) {
      file_batch_ += format_rfc3339(line.at);
      file_batch_ += ' ';
      file_batch_ += to_string(line.stream);
      file_batch_ += ' ';
      file_batch_ += line.text;
      file_batch_ += line.cut ? " […cut]\n" : "\n";
      if (file_batch_.size() > kReadBytes) write_file();
    }
    for (std::size_t i = 0; i < followers_.size();) {
      if (const auto follower = followers_[i].lock()) {
        follower->on_line(line);
        ++i;
      } else {
        followers_[i] = std::move(followers_.back());
        followers_.pop_back();
      }
    }
  }

  void write_file() {
    if (!file_) return;
    file_->write(file_batch_, owner_.loop_.clock().monotonic(), owner_.loop_.clock().wall());
    file_batch_.clear();
  }

  void replay(std::uint64_t from, Subscription& subscription) const {
    if (!ring_) return;
    std::uint64_t lost = 0;
    const std::string held = ring_->since(from > base_ ? from - base_ : 0, &lost);
    if (from < base_) lost += base_ - from;
    if (lost > 0) {
      const std::string text = format_bytes(lost) + " of this log are no longer in memory";
      subscription.on_line({LogStream::host, owner_.loop_.clock().wall(), false, text, end_position() - held.size()});
    }
    visit_records(held, lost > 0 && ring_->total() > held.size(), subscription.on_line);
  }

  // `records` end where the ring ends. With `torn` the first may lack its beginning.
  void visit_records(std::string_view records, bool torn, const LineCallback& visit) const {
    if (torn) records.remove_prefix(std::min(records.find('\n'), records.size() - 1) + 1);
    while (!records.empty()) {
      const std::size_t end = std::min(records.find('\n'), records.size() - 1);
      auto line = read_record(records.substr(0, end));
      records.remove_prefix(end + 1);
      if (!line) continue;
      line->position = end_position() - records.size();
      visit(*line);
    }
  }

  LogCapture& owner_;
  const ProcessId& id_;
  std::size_t ring_bytes_ = 0;
  std::optional<ByteRing> ring_;  // made with the first line
  std::uint64_t base_ = 0;
  TokenBucket bucket_{0, 1};
  std::uint64_t rate_bytes_ = 0;
  std::unique_ptr<LogFile> file_;
  std::string file_batch_;
  std::array<std::unique_ptr<Stream>, 2> streams_;  // stdout, stderr
  std::vector<std::weak_ptr<Subscription>> followers_;
  std::uint64_t dropped_lines_ = 0, dropped_bytes_ = 0;  // not yet said in the log
  event::Handle drop_timer_;
  Counters counters_;
};

LogCapture::LogCapture(event::Loop& loop, Problem on_problem, Closed on_closed)
    : loop_(loop), on_problem_(std::move(on_problem)), on_closed_(std::move(on_closed)) {}

LogCapture::~LogCapture() = default;

LogCapture::ProcessLog* LogCapture::get(std::string_view id) const {
  const auto found = logs_.find(id);
  return found == logs_.end() ? nullptr : found->second.get();
}

void LogCapture::configure(const ProcessId& id, const LogConfig& config) {
  if (ProcessLog* log = get(id)) return log->configure(config);
  const auto added = logs_.try_emplace(id).first;
  added->second = std::make_unique<ProcessLog>(*this, added->first, config);
}

void LogCapture::remove(std::string_view id) {
  if (const auto found = logs_.find(id); found != logs_.end()) logs_.erase(found);
}

Status LogCapture::attach(std::string_view id, LogStream stream, unique_fd descriptor) {
  ProcessLog* const log = get(id);
  if (!log || stream == LogStream::host) {
    return Error(errc::not_found, "the log of " + std::string(id) + " was not configured before a stream was attached");
  }
  return log->attach(stream, std::move(descriptor));
}

void LogCapture::detach(std::string_view id, LogStream stream) {
  if (ProcessLog* log = get(id); log && stream != LogStream::host) log->detach(stream);
}

void LogCapture::append_line(std::string_view id, LogStream stream, std::string_view text) {
  if (ProcessLog* log = get(id)) log->append_line(stream, text);
}

void LogCapture::last_lines(std::string_view id, std::size_t count, const LineCallback& visit) const {
  if (const ProcessLog* log = get(id)) log->last_lines(count, visit);
}

std::uint64_t LogCapture::end_position(std::string_view id) const {
  const ProcessLog* const log = get(id);
  return log ? log->end_position() : 0;
}

Result<LogCapture::Follower> LogCapture::follow(std::string_view id, std::uint64_t from, LineCallback on_line) {
  if (ProcessLog* log = get(id)) return log->follow(from, std::move(on_line));
  return Error(errc::not_found, "no process " + std::string(id) + " has a log; `tenon ps` lists those that exist",
               fault::caller);
}

LogCapture::Counters LogCapture::counters(std::string_view id) const {
  const ProcessLog* const log = get(id);
  return log ? log->counters() : Counters{};
}

}  // namespace tenon::runtime
