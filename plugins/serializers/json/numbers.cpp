#include "numbers.hpp"

#include <charconv>
#include <cmath>
#include <limits>

namespace tenon::json_plugin {

namespace {

// Whether a number that is no double is too large rather than too small. from_chars says only "out of range" and leaves
// the value alone; strtod would read the process's locale.
bool is_too_large(std::string_view token) noexcept {
  if (token.front() == '-') token.remove_prefix(1);
  std::size_t mantissa_end = token.find_first_of("eE");
  if (mantissa_end == std::string_view::npos) mantissa_end = token.size();
  const std::string_view mantissa = token.substr(0, mantissa_end);
  const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
  const std::size_t first = mantissa.find_first_of("123456789");
  if (first == std::string_view::npos) return false;
  // The power of ten of the first digit that counts, without the exponent.
  const double position = first < point ? static_cast<double>(point - first) - 1 : -static_cast<double>(first - point);
  double exponent = 0;
  bool down = false;
  for (std::size_t i = mantissa_end + 1; i < token.size(); ++i) {
    if (token[i] == '-') down = true;
    if (detail::is_digit(token[i])) exponent = exponent * 10 + (token[i] - '0');
  }
  return position + (down ? -exponent : exponent) > 0;
}

double nearest_double(std::string_view token) noexcept {
  double value = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), value);
  if (error == std::errc()) return value;
  const double magnitude = is_too_large(token) ? std::numeric_limits<double>::infinity() : 0.0;
  return token.front() == '-' ? -magnitude : magnitude;
}

}  // namespace

Number value_of(const NumberToken& token) noexcept {
  const std::string_view text = token.view();
  Number number{Number::Kind::real, 0, 0, 0};
  if (token.integer) {
    if (text.front() != '-') {
      if (std::from_chars(token.begin, token.end, number.natural).ec == std::errc()) {
        number.kind = Number::Kind::natural;
        return number;
      }
    } else if (text != "-0") {  // the sign of zero is lost in an integer
      if (std::from_chars(token.begin, token.end, number.negative).ec == std::errc()) {
        number.kind = Number::Kind::negative;
        return number;
      }
    }
  }
  number.real = nearest_double(text);
  return number;
}

}  // namespace tenon::json_plugin
