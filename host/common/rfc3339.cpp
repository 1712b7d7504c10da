#include "common/rfc3339.hpp"

#include <limits>
#include <optional>

#include "common/text.hpp"

namespace tenon {

namespace {

namespace chr = std::chrono;

constexpr std::size_t fraction_digits(Rfc3339Precision precision) noexcept {
  return static_cast<std::size_t>(precision) * 3;
}

char* put_two(char* to, unsigned value) noexcept {
  to[0] = static_cast<char>('0' + value / 10);
  to[1] = static_cast<char>('0' + value % 10);
  return to + 2;
}

// Reads digits from the front of `rest`.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  std::optional<unsigned> digits(std::size_t count) noexcept {
    if (rest_.size() < count) return std::nullopt;
    unsigned value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9') return std::nullopt;
      value = value * 10 + static_cast<unsigned>(rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }
  bool one_of(std::string_view wanted) noexcept { return take(wanted) != '\0'; }
  char take(std::string_view wanted) noexcept {
    if (rest_.empty() || wanted.find(rest_[0]) == wanted.npos) return '\0';
    const char found = rest_[0];
    rest_.remove_prefix(1);
    return found;
  }
  bool at_end() const noexcept { return rest_.empty(); }

 private:
  std::string_view rest_;
};

struct Parts {
  chr::year_month_day date;
  unsigned hour, minute, second;
  std::int64_t nanoseconds;
  int offset_minutes;
};

// Nanoseconds of ".123…"; absent when there is a point and no digit.
std::optional<std::int64_t> read_fraction(Reader& in) noexcept {
  if (!in.one_of(".")) return 0;
  std::int64_t value = 0;
  int count = 0;
  while (auto digit = in.digits(1)) {
    if (count < 9) value = value * 10 + *digit;
    ++count;
  }
  if (count == 0) return std::nullopt;
  for (; count < 9; ++count) value *= 10;
  return value;
}

std::optional<int> read_offset(Reader& in) noexcept {
  if (in.one_of("Zz")) return 0;
  const char sign = in.take("+-");
  if (sign == '\0') return std::nullopt;
  const auto hours = in.digits(2);
  if (!hours || *hours > 23 || !in.one_of(":")) return std::nullopt;
  const auto minutes = in.digits(2);
  if (!minutes || *minutes > 59) return std::nullopt;
  const int offset = static_cast<int>(*hours * 60 + *minutes);
  return sign == '-' ? -offset : offset;
}

std::optional<Parts> read_parts(std::string_view text) noexcept {
  Reader in(text);
  const auto year = in.digits(4);
  if (!year || !in.one_of("-")) return std::nullopt;
  const auto month = in.digits(2);
  if (!month || !in.one_of("-")) return std::nullopt;
  const auto day = in.digits(2);
  if (!day || !in.one_of("Tt")) return std::nullopt;
  const auto hour = in.digits(2);
  if (!hour || *hour > 23 || !in.one_of(":")) return std::nullopt;
  const auto minute = in.digits(2);
  if (!minute || *minute > 59 || !in.one_of(":")) return std::nullopt;
  const auto second = in.digits(2);
  if (!second || *second > 60) return std::nullopt;
  const auto fraction = read_fraction(in);
  const auto offset = fraction ? read_offset(in) : std::nullopt;
  if (!offset || !in.at_end()) return std::nullopt;
  const chr::year_month_day date(chr::year(static_cast<int>(*year)), chr::month(*month), chr::day(*day));
  if (!date.ok()) return std::nullopt;
  return Parts{date, *hour, *minute, *second, *fraction, *offset};
}

// UTC inserts leap seconds only as the last second of a month.
bool may_follow_leap_second(std::int64_t seconds) noexcept {
  const chr::sys_seconds time{chr::seconds(seconds)};
  const auto midnight = chr::floor<chr::days>(time);
  return time == midnight && chr::year_month_day(midnight).day() == chr::day(1);
}

Error refuse(errc code, std::string_view text, std::string_view expected) {
  return Error(code, "found " + quote_for_message(text) + ", expected " + std::string(expected), fault::caller);
}

constexpr std::string_view kForm = "an RFC 3339 time such as \"2026-05-04T10:11:12.345Z\"";

}  // namespace

Rfc3339Text format_rfc3339(WallTime time, Rfc3339Precision precision) noexcept {
  // In plain numbers: chrono would convert the floored seconds back to nanoseconds, which overflows near WallTime::min.
  std::int64_t count = time.time_since_epoch().count() / 1'000'000'000;
  std::int64_t fraction = time.time_since_epoch().count() % 1'000'000'000;
  if (fraction < 0) fraction += 1'000'000'000, --count;
  const chr::sys_seconds seconds{chr::seconds(count)};
  const auto midnight = chr::floor<chr::days>(seconds);
  const chr::year_month_day date(midnight);
  const auto of_day = static_cast<unsigned>((seconds - midnight).count());
  const auto year = static_cast<unsigned>(static_cast<int>(date.year()));

  Rfc3339Text out;
  char* to = out.text_.data();
  to = put_two(put_two(to, year / 100), year % 100);
  *to++ = '-';
  to = put_two(to, static_cast<unsigned>(date.month()));
  *to++ = '-';
  to = put_two(to, static_cast<unsigned>(date.day()));
  *to++ = 'T';
  to = put_two(to, of_day / 3600);
  *to++ = ':';
  to = put_two(to, of_day / 60 % 60);
  *to++ = ':';
  to = put_two(to, of_day % 60);
  if (const std::size_t digits = fraction_digits(precision); digits != 0) {
    *to++ = '.';
    auto nanoseconds = static_cast<unsigned>(fraction);
    for (unsigned divisor = 100'000'000; to != out.text_.data() + 20 + digits; divisor /= 10) {
      *to++ = static_cast<char>('0' + nanoseconds / divisor);
      nanoseconds %= divisor;
    }
  }
  *to++ = 'Z';
  out.size_ = static_cast<std::uint8_t>(to - out.text_.data());
  return out;
}

Result<WallTime> parse_rfc3339(std::string_view text) {
  const auto parts = read_parts(text);
  if (!parts) return refuse(errc::bad_data, text, kForm);
  const std::int64_t days = chr::sys_days(parts->date).time_since_epoch().count();
  const std::int64_t seconds = days * 86'400 + parts->hour * 3'600 + parts->minute * 60 + parts->second -
                               static_cast<std::int64_t>(parts->offset_minutes) * 60;
  if (parts->second == 60 && !may_follow_leap_second(seconds)) {
    return refuse(errc::bad_data, text, "second 60 only as 23:59:60 UTC at the end of a month");
  }
  // A leap second has no nanoseconds of its own on this time scale: all of it is the start of the next second.
  const std::int64_t nanoseconds = parts->second == 60 ? 0 : parts->nanoseconds;
  std::int64_t total;
  if (__builtin_mul_overflow(seconds, std::int64_t{1'000'000'000}, &total) ||
      __builtin_add_overflow(total, nanoseconds, &total)) {
    return refuse(errc::invalid_argument, text, "a time from 1677-09-21 to 2262-04-11");
  }
  return WallTime(Duration(total));
}

}  // namespace tenon
