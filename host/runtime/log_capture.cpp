#include "runtime/log_capture.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "common/system.hpp"
#include "common/text.hpp"
#include "common/units.hpp"
#include "runtime/line_splitter.hpp"
#include "runtime/log_file.hpp"
#include "runtime/log_ring.hpp"
#include "runtime/token_bucket.hpp"

namespace tenon::runtime {
namespace {

constexpr Duration kDropNotice = std::chrono::seconds(1);
constexpr Duration kSetBack = std::chrono::seconds(1);  // a clock that is set back by more is followed
constexpr std::string_view kTakenOver =
    "the engine was restarted here; of a line that was not finished then the beginning may be missing";

// How many octets a read will get; 1 if none are there (yet).
std::size_t octets_there(int fd, std::size_t most) {
  int there = 0;
  if (::ioctl(fd, FIONREAD, &there) != 0 || there < 1) return 1;
  return std::min(static_cast<std::size_t>(there), most);
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
    ring_.resize(config.ring_bytes);
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
    stream->splitter.feed(std::exchange(inherited_[static_cast<std::size_t>(kind)], {}), sink_of(kind));
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

  void last_lines(std::size_t count, const LineCallback& visit) const { ring_.last(count, visit); }
  std::uint64_t end_position() const noexcept { return ring_.end_position(); }

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

  Page lines_after(WallTime time, std::size_t most, const LineCallback& visit) const {
    Page page;
    const std::optional<WallTime> in_memory = ring_.oldest();
    const bool reaches_back = in_memory && *in_memory <= time;
    constexpr std::chrono::nanoseconds kJust(1);
    if (!reaches_back && file_) {
      const LogHistory::Page read = LogHistory(file_->path(), file_->limits().keep).after(time, most);
      bool meets_memory = false, any = false;
      for (const std::string_view line : split(read.text, '\n')) {
        const auto parsed = LogHistory::parse(line);
        if (!parsed || parsed->at <= time) continue;
        meets_memory = in_memory && parsed->at >= *in_memory;
        if (meets_memory) break;
        any = true;
        if (!read.whole && page.whole_from == WallTime::min()) page.whole_from = parsed->at - kJust;
        visit(*parsed);
      }
      page.more = read.more && any && !meets_memory;
      if (page.more) return page;
    } else if (!reaches_back) {
      page.whole_from = in_memory && ring_.has_lost() ? *in_memory - kJust : owner_.began_;
    }
    ring_.last(SIZE_MAX, [&](const LogLine& line) {
      if (line.at > time) visit(line);
    });
    return page;
  }

  // What its lines are in the file already goes without saying again.
  void take_up(LogJournal::Unfinished left) {
    const std::string written = file_ ? LogHistory(file_->path(), file_->limits().keep).since(left.place, kMostAgain) : "";
    std::string_view rest = written;
    LineSplitter splitter(max_line());
    bool first = true;
    splitter.feed(left.bytes, [&](std::string_view text, bool cut) {
      const bool may_be_the_end_of_one = std::exchange(first, false);
      for (std::string_view look = rest; !look.empty();) {
        const std::size_t end = std::min(look.find('\n'), look.size() - 1);
        const auto line = LogHistory::parse(look.substr(0, end));
        look.remove_prefix(end + 1);
        if (!line || line->stream != left.stream) continue;
        if (line->text == text || (may_be_the_end_of_one && line->text.ends_with(text))) return void(rest = look);
      }
      take_line(left.stream, owner_.loop_.clock().wall(), text, cut);
    });
    const std::size_t feed = left.bytes.rfind('\n');
    inherited_[static_cast<std::size_t>(left.stream)] = left.bytes.substr(feed == std::string::npos ? 0 : feed + 1);
    write_file();
  }

  void taken_over() noexcept { was_taken_over_ = true; }
  const Counters& counters() const noexcept { return counters_; }

 private:
  static constexpr std::size_t kMostAgain = 1024 * 1024;  // of what one read can have become in the file

  std::size_t max_line() const noexcept { return std::min(kMaxLine, ring_.max_line()); }

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
    static_assert(kReadBytes == LogJournal::kCapacity);
    char* into = buffer.data();
    std::size_t wanted = buffer.size();
    if (owner_.journal_) {
      wanted = octets_there(stream.descriptor.get(), kReadBytes);
      into = owner_.journal_->begin(id_, stream.kind, wanted, file_place());
    }
    ssize_t size;
    do {
      size = ::read(stream.descriptor.get(), into, wanted);
    } while (size < 0 && errno == EINTR);
    const int error = size < 0 ? errno : 0;
    if (size > 0) {
      stream.splitter.feed({into, static_cast<std::size_t>(size)}, sink_of(stream.kind));
      write_file();
    }
    if (owner_.journal_) owner_.journal_->end();
    if (size < 0) return error == EAGAIN ? -1 : 0;
    return size;
  }

  LineSplitter::Sink sink_of(LogStream kind) {
    return [this, kind, now = owner_.loop_.clock().wall()](std::string_view text, bool cut) {
      take_line(kind, now, text, cut);
    };
  }

  LogPlace file_place() {
    return file_ ? file_->place(owner_.loop_.clock().monotonic(), owner_.loop_.clock().wall()) : LogPlace{};
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
    if (std::exchange(was_taken_over_, false)) keep({LogStream::host, line.at, false, kTakenOver});
    line.at = owner_.stamp();
    line.position = ring_.append(line);
    if (file_) {
      LogHistory::append(file_batch_, line);
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
    ring_.since(from, subscription.on_line, [&](std::uint64_t lost, std::uint64_t position) {
      const std::string text = format_bytes(lost) + " of this log are no longer in memory";
      subscription.on_line({LogStream::host, owner_.loop_.clock().wall(), false, text, position});
    });
  }

  LogCapture& owner_;
  const ProcessId& id_;
  LogRing ring_;
  TokenBucket bucket_{0, 1};
  std::uint64_t rate_bytes_ = 0;
  std::unique_ptr<LogFile> file_;
  std::string file_batch_;
  std::array<std::unique_ptr<Stream>, 2> streams_;  // stdout, stderr
  std::array<std::string, 2> inherited_;            // by a former engine: a line's beginning, for the next attach
  bool was_taken_over_ = false;                     // and no line was kept since
  std::vector<std::weak_ptr<Subscription>> followers_;
  std::uint64_t dropped_lines_ = 0, dropped_bytes_ = 0;  // not yet said in the log
  event::Handle drop_timer_;
  Counters counters_;
};

LogCapture::LogCapture(event::Loop& loop, Problem on_problem, Closed on_closed)
    : loop_(loop), on_problem_(std::move(on_problem)), on_closed_(std::move(on_closed)),
      began_(loop.clock().wall()) {}

LogCapture::~LogCapture() = default;

WallTime LogCapture::stamp() {
  const WallTime now = loop_.clock().wall();
  const bool ascends = now > last_stamp_ || last_stamp_ - now > kSetBack;
  last_stamp_ = ascends ? now : last_stamp_ + std::chrono::nanoseconds(1);
  if (journal_) journal_->set_newest(last_stamp_);
  return last_stamp_;
}

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

LogCapture::Page LogCapture::lines_after(std::string_view id, WallTime time, std::size_t most,
                                         const LineCallback& visit) const {
  const ProcessLog* const log = get(id);
  return log ? log->lines_after(time, most, visit) : Page{};
}

void LogCapture::use_journal(LogJournal journal) {
  last_stamp_ = std::max(last_stamp_, journal.newest());
  if (auto left = journal.unfinished())
    if (ProcessLog* log = get(left->id)) log->take_up(std::move(*left));
  journal_ = std::move(journal);
  journal_->end();
}

void LogCapture::taken_over(std::string_view id) {
  if (ProcessLog* log = get(id)) log->taken_over();
}

LogCapture::Counters LogCapture::counters(std::string_view id) const {
  const ProcessLog* const log = get(id);
  return log ? log->counters() : Counters{};
}

}  // namespace tenon::runtime
