#include "common/expand.hpp"

#include <cstdlib>

#include "common/text.hpp"

namespace tenon {

namespace {

bool is_name(std::string_view text) noexcept {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9')) return false;
  for (char c : text) {
    const bool fits = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    if (!fits) return false;
  }
  return true;
}

Error refuse(errc code, std::string message) { return Error(code, std::move(message), fault::caller); }

// The value of what stands between `${` and `}`.
Result<std::string> expand_one(std::string_view inside, const VariableLookup& lookup) {
  const std::size_t separator = inside.find(":-");
  const std::string_view name = inside.substr(0, separator);
  if (!is_name(name)) {
    return refuse(errc::invalid_argument, "found ${" + std::string(utf8_prefix(inside, 64)) +
                                              "}, expected ${NAME} or ${NAME:-default} with a name of letters, digits "
                                              "and underscores; write $${ for a literal ${");
  }
  auto value = lookup(name);
  if (separator == std::string_view::npos) {
    if (value) return *std::move(value);
    return refuse(errc::not_found, "the environment variable " + std::string(name) +
                                       " is not set; set it, or write ${" + std::string(name) +
                                       ":-default}, or $${ for a literal ${");
  }
  const std::string_view fallback = inside.substr(separator + 2);
  if (fallback.find("${") != std::string_view::npos) {
    return refuse(errc::invalid_argument, "the default of ${" + std::string(name) +
                                              "} holds another ${; a default is literal text, so set the variable "
                                              "itself where the host is started");
  }
  if (value && !value->empty()) return *std::move(value);
  return std::string(fallback);
}

}  // namespace

Result<std::string> expand_variables(std::string_view text, const VariableLookup& lookup) {
  std::string out;
  while (!text.empty()) {
    const std::size_t dollar = text.find('$');
    out += text.substr(0, dollar);
    if (dollar == std::string_view::npos) break;
    text.remove_prefix(dollar);
    if (text.starts_with("$$")) {
      out += '$';
      text.remove_prefix(2);
    } else if (text.starts_with("${")) {
      const std::size_t end = text.find('}');
      if (end == std::string_view::npos) {
        return refuse(errc::invalid_argument, "found " + quote_for_message(text) +
                                                  " without a closing }; write $${ for a literal ${");
      }
      auto value = expand_one(text.substr(2, end - 2), lookup);
      if (!value) return std::move(value).error();
      out += *value;
      text.remove_prefix(end + 1);
    } else {
      out += '$';
      text.remove_prefix(1);
    }
    if (out.size() > kMaxExpandedBytes) break;
  }
  if (out.size() > kMaxExpandedBytes) {
    return refuse(errc::exhausted, "the expanded text is longer than 1 MiB; put such a value into a file");
  }
  return out;
}

std::optional<std::string> environment_variable(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

}  // namespace tenon
