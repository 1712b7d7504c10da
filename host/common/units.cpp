#include "common/units.hpp"

#include <array>
#include <cstdio>
#include <limits>
#include <optional>

#include "common/text.hpp"

namespace tenon {

namespace {

using Wide = unsigned __int128;

struct Unit {
  std::string_view name;
  std::uint64_t size;
};

constexpr std::array<Unit, 7> kDurationUnits{{{"ns", 1},
                                              {"us", 1'000},
                                              {"ms", 1'000'000},
                                              {"s", 1'000'000'000},
                                              {"m", 60'000'000'000},
                                              {"h", 3'600'000'000'000},
                                              {"d", 86'400'000'000'000}}};

constexpr std::array<Unit, 10> kByteUnits{{{"B", 1},
                                           {"kB", 1'000},
                                           {"KB", 1'000},
                                           {"MB", 1'000'000},
                                           {"GB", 1'000'000'000},
                                           {"TB", 1'000'000'000'000},
                                           {"KiB", 1ull << 10},
                                           {"MiB", 1ull << 20},
                                           {"GiB", 1ull << 30},
                                           {"TiB", 1ull << 40}}};

// A decimal number as numerator / 10^digits, so that no fraction is rounded.
struct Decimal {
  std::uint64_t numerator = 0;
  std::uint64_t denominator = 1;
  std::size_t length = 0;  // characters read
};

enum class Problem { malformed, too_large };

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

bool push_digit(std::uint64_t& number, char c) noexcept {
  return !__builtin_mul_overflow(number, std::uint64_t{10}, &number) &&
         !__builtin_add_overflow(number, static_cast<std::uint64_t>(c - '0'), &number);
}

// Digits, and perhaps a point and digits. The fraction keeps at most nine digits, as `exact` says whether that lost
// some.
std::optional<Decimal> read_decimal(std::string_view text, Problem& problem, bool& exact) noexcept {
  problem = Problem::malformed;
  exact = true;
  Decimal number;
  std::size_t i = 0;
  for (; i < text.size() && is_digit(text[i]); ++i) {
    if (!push_digit(number.numerator, text[i])) return problem = Problem::too_large, std::nullopt;
  }
  if (i == 0) return std::nullopt;
  if (i < text.size() && text[i] == '.') {
    const std::size_t first = ++i;
    for (; i < text.size() && is_digit(text[i]); ++i) {
      if (i - first >= 9) {
        exact = exact && text[i] == '0';
        continue;
      }
      if (!push_digit(number.numerator, text[i])) return problem = Problem::too_large, std::nullopt;
      number.denominator *= 10;
    }
    if (i == first) return std::nullopt;
  }
  number.length = i;
  return number;
}

template <std::size_t N>
const Unit* find_unit(const std::array<Unit, N>& units, std::string_view name) noexcept {
  for (const Unit& unit : units) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

Error refuse(std::string_view text, std::string_view expected) {
  return Error(errc::invalid_argument, "found " + quote_for_message(text) + ", expected " + std::string(expected),
               fault::caller);
}

constexpr std::string_view kDurationForm =
    "a duration: a number and one of ns, us, ms, s, m, h, d, such as \"250ms\" or \"1.5h\"";
constexpr std::string_view kDurationRange = "a duration of at most 106751d (292 years)";
constexpr std::string_view kBytesForm =
    "a size: a number and one of B, KiB, MiB, GiB, TiB, kB, MB, GB, TB, such as \"64KiB\"";
constexpr std::string_view kBytesRange = "a size below 16777216TiB";
constexpr std::string_view kWholeBytes = "a size that is a whole number of bytes";

// "1.5 KiB", "12 KiB": one digit after the point while it says something.
std::string with_unit(std::uint64_t value, std::uint64_t unit, std::string_view name) {
  const std::uint64_t whole = value / unit;
  const std::uint64_t tenth = static_cast<std::uint64_t>(Wide(value % unit) * 10 / unit);
  std::string out = std::to_string(whole);
  if (whole < 10 && tenth != 0) out += '.', out += static_cast<char>('0' + tenth);
  return out.append(1, ' ').append(name);
}

std::string two_units(std::uint64_t high, char high_name, std::uint64_t low, char low_name) {
  std::string out = std::to_string(high) + high_name;
  if (low != 0) out += ' ' + std::to_string(low) + low_name;
  return out;
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  if (text == "0") return Duration::zero();
  Problem problem;
  bool exact;
  const auto number = read_decimal(text, problem, exact);
  if (!number) return refuse(text, problem == Problem::too_large ? kDurationRange : kDurationForm);
  const Unit* unit = find_unit(kDurationUnits, text.substr(number->length));
  if (unit == nullptr) return refuse(text, kDurationForm);
  const Wide nanoseconds = Wide(number->numerator) * unit->size / number->denominator;
  if (nanoseconds > Wide(std::numeric_limits<std::int64_t>::max())) return refuse(text, kDurationRange);
  return Duration(static_cast<std::int64_t>(nanoseconds));
}

std::string format_duration(Duration value) {
  if (value.count() < 0) {
    // The most negative count has no positive counterpart; one nanosecond less is close enough for people.
    const std::int64_t positive = value.count() == std::numeric_limits<std::int64_t>::min()
                                      ? std::numeric_limits<std::int64_t>::max()
                                      : -value.count();
    return "-" + format_duration(Duration(positive));
  }
  const auto ns = static_cast<std::uint64_t>(value.count());
  if (ns == 0) return "0 s";
  if (ns < 1'000) return with_unit(ns, 1, "ns");
  if (ns < 1'000'000) return with_unit(ns, 1'000, "us");
  if (ns < 1'000'000'000) return with_unit(ns, 1'000'000, "ms");
  const std::uint64_t seconds = ns / 1'000'000'000;
  if (seconds < 60) return with_unit(ns, 1'000'000'000, "s");
  if (seconds < 3'600) return two_units(seconds / 60, 'm', seconds % 60, 's');
  if (seconds < 86'400) return two_units(seconds / 3'600, 'h', seconds % 3'600 / 60, 'm');
  return two_units(seconds / 86'400, 'd', seconds % 86'400 / 3'600, 'h');
}

std::string duration_to_config(Duration value) {
  const auto ns = static_cast<std::uint64_t>(value.count());
  if (ns == 0) return "0s";
  // The largest unit that divides it, but seconds up to two minutes: "90s" reads better than "1.5m", "60s" than "1m".
  for (std::size_t i = kDurationUnits.size(); i-- > 0;) {
    const Unit& unit = kDurationUnits[i];
    if (ns % unit.size == 0 && (unit.size <= 1'000'000'000 || ns / 1'000'000'000 >= 120)) {
      return std::to_string(ns / unit.size).append(unit.name);
    }
  }
  return std::to_string(ns) + "ns";
}

Result<std::uint64_t> parse_bytes(std::string_view text) {
  Problem problem;
  bool exact;
  const auto number = read_decimal(text, problem, exact);
  if (!number) return refuse(text, problem == Problem::too_large ? kBytesRange : kBytesForm);
  const std::string_view suffix = text.substr(number->length);
  const Unit* unit = find_unit(kByteUnits, suffix.empty() ? std::string_view("B") : suffix);
  if (unit == nullptr) return refuse(text, kBytesForm);
  const Wide scaled = Wide(number->numerator) * unit->size;
  if (!exact || scaled % number->denominator != 0) return refuse(text, kWholeBytes);
  const Wide bytes = scaled / number->denominator;
  if (bytes > Wide(std::numeric_limits<std::uint64_t>::max())) return refuse(text, kBytesRange);
  return static_cast<std::uint64_t>(bytes);
}

std::string format_bytes(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 7> kNames{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  std::size_t power = 0;
  while (power + 1 < kNames.size() && bytes >> (10 * (power + 1)) != 0) ++power;
  return with_unit(bytes, 1ull << (10 * power), kNames[power]);
}

}  // namespace tenon
