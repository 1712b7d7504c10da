// What a `datacontenttype` says about the payload's representation in JSON.
#pragma once

#include <cstddef>
#include <string_view>

namespace tenon::serializers {

namespace detail {

inline char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

inline bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != b[i]) return false;
  }
  return true;
}

inline bool ends_with(std::string_view text, std::string_view end) noexcept {
  return text.size() >= end.size() && equal_ignoring_case(text.substr(text.size() - end.size()), end);
}

// Without parameters and the blanks before them.
inline std::string_view essence(std::string_view media_type) noexcept {
  media_type = media_type.substr(0, media_type.find(';'));
  while (!media_type.empty() && (media_type.back() == ' ' || media_type.back() == '\t')) media_type.remove_suffix(1);
  return media_type;
}

}  // namespace detail

// CloudEvents JSON Event Format 1.0.2, section 3.1: "*/json" and "*/*+json" are JSON.
inline bool is_json_type(std::string_view media_type) noexcept {
  const std::string_view name = detail::essence(media_type);
  return detail::ends_with(name, "/json") || detail::ends_with(name, "+json");
}

// Text that is kept readable as a JSON string if it is UTF-8.
inline bool is_text_type(std::string_view media_type) noexcept {
  const std::string_view name = detail::essence(media_type);
  if (is_json_type(name)) return false;
  return (name.size() >= 5 && detail::equal_ignoring_case(name.substr(0, 5), "text/")) ||
         detail::ends_with(name, "/xml") || detail::ends_with(name, "+xml");
}

}  // namespace tenon::serializers
