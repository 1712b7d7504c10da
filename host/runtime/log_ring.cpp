#include "runtime/log_ring.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <string>

namespace tenon::runtime {
namespace {

// A line in the ring: stream digit, '+' if it was cut, 16 hexadecimal digits of wall time, the text, LF. Text, so that
// the ring's own notion of lines finds the first whole one after old bytes were overwritten.
constexpr std::size_t kHeader = 18;
constexpr std::size_t kSmallestRing = 1024;

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

void LogRing::resize(std::size_t bytes) {
  bytes = std::max(bytes, kSmallestRing);
  if (bytes != bytes_) base_ = end_position(), ring_.reset();
  bytes_ = bytes;
}

std::size_t LogRing::max_line() const noexcept { return bytes_ / 2 - kHeader - 1; }

std::uint64_t LogRing::append(const LogLine& line) {
  static thread_local std::string record;  // used only within this call
  record.clear();
  append_record(record, line);
  if (!ring_) ring_.emplace(bytes_);
  ring_->append(record);
  return end_position();
}

std::optional<WallTime> LogRing::oldest() const {
  std::optional<WallTime> found;
  last(SIZE_MAX, [&](const LogLine& line) {
    if (!found) found = line.at;
  });
  return found;
}

void LogRing::last(std::size_t count, const Visit& visit) const {
  if (!ring_ || count == 0) return;
  const std::string held = ring_->contents();
  std::size_t begin = held.size();  // just behind the LF of the line before the wanted ones
  for (std::size_t lines = 0; begin > 0; --begin) {
    if (held[begin - 1] == '\n' && lines++ == count) break;
  }
  visit_records(std::string_view(held).substr(begin), begin == 0 && ring_->total() > held.size(), visit);
}

void LogRing::since(std::uint64_t from, const Visit& visit,
                    const std::function<void(std::uint64_t, std::uint64_t)>& on_lost) const {
  if (!ring_) return;
  std::uint64_t lost = 0;
  const std::string held = ring_->since(from > base_ ? from - base_ : 0, &lost);
  if (from < base_) lost += base_ - from;
  if (lost > 0) on_lost(lost, end_position() - held.size());
  visit_records(held, lost > 0 && ring_->total() > held.size(), visit);
}

// `records` end where the ring ends. With `torn` the first may lack its beginning.
void LogRing::visit_records(std::string_view records, bool torn, const Visit& visit) const {
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

}  // namespace tenon::runtime
