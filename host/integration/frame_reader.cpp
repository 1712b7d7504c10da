#include "integration/frame_reader.hpp"

#include <algorithm>
#include <cstring>

namespace tenon::integration {

namespace {

constexpr std::size_t kPrefixSize = 4;
constexpr std::size_t kShownOfTooLong = 4096;  // first octets of an over-long frame, for the log and the dead letter

FrameStep next_line(std::string_view input, std::size_t max_event, std::uint64_t& skip) noexcept {
  const void* feed = std::memchr(input.data(), '\n', input.size());
  const std::size_t length = feed == nullptr ? input.size() : static_cast<const char*>(feed) - input.data();
  if (skip == kSkipLine) {
    if (feed != nullptr) skip = 0;
    return {FrameStep::Kind::skipped, feed != nullptr ? length + 1 : length, {}, 0};
  }
  if (length > max_event) {
    skip = kSkipLine;
    return {FrameStep::Kind::too_long, 0, input.substr(0, std::min(length, kShownOfTooLong)), 0};
  }
  if (feed == nullptr) return {};
  std::string_view line = input.substr(0, length);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return {FrameStep::Kind::frame, length + 1, line, 0};
}

FrameStep next_packet(std::string_view input, std::size_t max_event, std::uint64_t& skip) noexcept {
  if (skip != 0) {
    const std::size_t passed = static_cast<std::size_t>(std::min<std::uint64_t>(skip, input.size()));
    skip -= passed;
    return {FrameStep::Kind::skipped, passed, {}, 0};
  }
  if (input.size() < kPrefixSize) return {};
  const auto octet = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(input[i])); };
  const std::uint32_t length = octet(0) << 24 | octet(1) << 16 | octet(2) << 8 | octet(3);
  if (length > kGarbageLength) return {FrameStep::Kind::garbage, 0, {}, length};
  if (length > max_event) {
    const std::string_view shown = input.substr(kPrefixSize, std::min<std::size_t>(length, kShownOfTooLong));
    skip = length;
    return {FrameStep::Kind::too_long, kPrefixSize, shown, length};
  }
  if (input.size() - kPrefixSize < length) return {};
  return {FrameStep::Kind::frame, kPrefixSize + length, input.substr(kPrefixSize, length), 0};
}

}  // namespace

FrameStep next_frame(Framing framing, std::string_view input, std::size_t max_event, std::uint64_t& skip) noexcept {
  if (input.empty()) return {};
  return framing == Framing::line ? next_line(input, max_event, skip) : next_packet(input, max_event, skip);
}

}  // namespace tenon::integration
