#include "loader/kept_plugin.hpp"

#include <array>
#include <charconv>

#include "common/text.hpp"

namespace tenon::loader {

std::string KeptPlugin::encode() const {
  std::string text = std::to_string(place.directory);
  for (const std::uint64_t number : {stamp.device, stamp.inode, stamp.size}) text += " " + std::to_string(number);
  for (const std::int64_t number : {stamp.modified_ns, stamp.changed_ns}) text += " " + std::to_string(number);
  return text;
}

Result<KeptPlugin> KeptPlugin::decode(std::string_view text, std::string path, unique_fd copy) {
  std::array<std::int64_t, 6> numbers{};
  std::size_t count = 0;
  for (const std::string_view word : split(text, ' ')) {
    if (count == numbers.size()) return Error(errc::bad_data, "a kept plugin has too many numbers");
    const auto [end, failed] = std::from_chars(word.data(), word.data() + word.size(), numbers[count++]);
    if (failed != std::errc() || end != word.data() + word.size())
      return Error(errc::bad_data, "a kept plugin is unreadable");
  }
  if (count != numbers.size() || !copy.valid()) return Error(errc::bad_data, "a kept plugin is incomplete");
  KeptPlugin kept;
  kept.place = {static_cast<std::uint32_t>(numbers[0]), std::move(path)};
  kept.stamp = {static_cast<std::uint64_t>(numbers[1]), static_cast<std::uint64_t>(numbers[2]),
                static_cast<std::uint64_t>(numbers[3]), numbers[4], numbers[5]};
  kept.copy = std::move(copy);
  return kept;
}

}  // namespace tenon::loader
