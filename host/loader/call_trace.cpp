#include "loader/call_trace.hpp"

namespace tenon::loader {

std::string trace_name(const Digest& content, std::string_view path) {
  return to_hex(content).append(" ").append(path);
}

std::optional<TracedFile> parse_trace_name(std::string_view text) {
  constexpr std::size_t kHex = 2 * std::tuple_size_v<Digest>;
  if (text.size() < kHex + 1 || text[kHex] != ' ') return std::nullopt;
  const auto content = digest_from_hex(text.substr(0, kHex));
  if (!content) return std::nullopt;
  return TracedFile{*content, std::string(text.substr(kHex + 1))};
}

}  // namespace tenon::loader
