#include "app/scale.hpp"

#include <charconv>

#include "common/text.hpp"

namespace tenon::app {

namespace {

bool read_number(std::string_view text, std::uint32_t& out) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
  return failed == std::errc() && end == text.data() + text.size();
}

}  // namespace

// A line a child, "id replicas instead_of": an id has no spaces.
std::string encode_scales(const Scales& scales) {
  std::string bytes;
  for (const auto& [id, scale] : scales)
    bytes += id + ' ' + std::to_string(scale.replicas) + ' ' + std::to_string(scale.instead_of) + '\n';
  return bytes;
}

Result<Scales> decode_scales(std::string_view bytes) {
  const Error unreadable(errc::bad_data, "the numbers of replicas that the engine before left are unreadable; scale "
                                         "again what is to differ from the config");
  Scales scales;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    if (end == bytes.npos) return unreadable;
    const auto parts = split(bytes.substr(0, end), ' ');
    Scale scale;
    if (parts.size() != 3 || parts[0].empty() || !read_number(parts[1], scale.replicas) ||
        !read_number(parts[2], scale.instead_of))
      return unreadable;
    if (!scales.emplace(parts[0], scale).second) return unreadable;
    bytes.remove_prefix(end + 1);
  }
  return scales;
}

}  // namespace tenon::app
