#include "message/media_type.hpp"

namespace tenon::message {

std::string media_type_of(std::string_view content_type) {
  constexpr std::string_view kBlanks = " \t";
  content_type = content_type.substr(0, content_type.find(';'));
  const std::size_t begin = content_type.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  const std::size_t end = content_type.find_last_not_of(kBlanks);
  std::string type(content_type.substr(begin, end - begin + 1));
  for (char& c : type)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return type;
}

std::string encoding_of(std::string_view content_type) {
  std::string type = media_type_of(content_type);
  const std::size_t slash = type.find('/');
  const std::size_t plus = type.rfind('+');
  if (slash == std::string::npos || plus == std::string::npos || plus < slash || plus + 1 == type.size()) return type;
  return type.substr(0, slash + 1) + type.substr(plus + 1);
}

}  // namespace tenon::message
