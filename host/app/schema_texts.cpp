#include "app/schema_texts.hpp"

#include <charconv>
#include <optional>

namespace tenon::app {

namespace {

// "<length>:<octets>", so that nothing in a path or text needs an escape.
void append(std::string& out, std::string_view text) {
  out.append(std::to_string(text.size())).append(":").append(text);
}

std::optional<std::string> take(std::string_view& in) {
  std::size_t size = 0;
  const auto [end, failed] = std::from_chars(in.data(), in.data() + in.size(), size);
  if (failed != std::errc() || end == in.data() + in.size() || *end != ':') return std::nullopt;
  in.remove_prefix(static_cast<std::size_t>(end - in.data()) + 1);
  if (size > in.size()) return std::nullopt;
  std::string text(in.substr(0, size));
  in.remove_prefix(size);
  return text;
}

}  // namespace

Result<SchemaTexts> read_schema_texts(const std::vector<std::string>& directories) {
  SchemaTexts all;
  for (const std::string& directory : directories) {
    auto texts = message::SchemaRegistry::read_directory(directory);
    if (!texts.ok()) return std::move(texts).error();
    std::move(texts->begin(), texts->end(), std::back_inserter(all));
  }
  return all;
}

std::string encode_schema_texts(const SchemaTexts& texts) {
  std::string out;
  for (const message::SchemaText& each : texts) {
    append(out, each.file);
    append(out, each.text);
  }
  return out;
}

Result<SchemaTexts> decode_schema_texts(std::string_view bytes) {
  SchemaTexts texts;
  while (!bytes.empty()) {
    auto file = take(bytes);
    auto text = file ? take(bytes) : std::nullopt;
    if (!text) return Error(errc::bad_data, "the schemas that the keeper held are unreadable");
    texts.push_back({std::move(*file), std::move(*text)});
  }
  return texts;
}

}  // namespace tenon::app
