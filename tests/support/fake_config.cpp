#include "support/fake_config.hpp"

#include <cstdio>
#include <cstdlib>

#include "common/units.hpp"

namespace tenon::test_support {
namespace {

JsonDocument parse_or_give_up(std::string text) {
  auto document = JsonDocument::parse(std::move(text), "config");
  if (document.ok()) return std::move(document).value();
  std::fprintf(stderr, "fake_config: %s\n", document.error().message.c_str());
  std::abort();
}

std::string unescaped(std::string_view token) {
  std::string key;
  for (std::size_t i = 0; i < token.size(); ++i) {
    const bool escape = token[i] == '~' && i + 1 < token.size();
    key += escape ? (token[++i] == '1' ? '/' : '~') : token[i];
  }
  return key;
}

std::optional<JsonValue> child(const JsonValue& parent, const std::string& key) {
  if (parent.is_object()) return parent.find(key);
  if (!parent.is_array() || key.empty() || key.size() > 9 || key.find_first_not_of("0123456789") != std::string::npos)
    return std::nullopt;
  const std::size_t index = std::stoul(key);
  if (index >= parent.size()) return std::nullopt;
  return parent.at(index);
}

// NOT_FOUND without a value, INVALID_ARGUMENT when `read` finds nothing of its type in it; else sets `out`.
template <class Out, class Read>
tenon_status answer(const std::optional<JsonValue>& value, Out& out, Read read) {
  if (!value) return TENON_ERR_NOT_FOUND;
  const auto found = read(*value);
  if (!found) return TENON_ERR_INVALID_ARGUMENT;
  out = *found;
  return TENON_OK;
}

}  // namespace

FakeConfig::FakeConfig(std::string text) : document_(parse_or_give_up(std::move(text))) {}

std::optional<JsonValue> FakeConfig::find(std::string_view pointer) const {
  std::optional<JsonValue> value = document_.root();
  while (value && !pointer.empty()) {
    if (pointer.front() != '/') return std::nullopt;
    pointer.remove_prefix(1);
    const std::size_t end = std::min(pointer.find('/'), pointer.size());
    value = child(*value, unescaped(pointer.substr(0, end)));
    pointer.remove_prefix(end);
  }
  return value;
}

tenon_status FakeConfig::string(std::string_view pointer, tenon_str& out) const {
  return answer(find(pointer), out, [](const JsonValue& value) -> std::optional<tenon_str> {
    const auto text = value.as_string();
    if (!text) return std::nullopt;
    return tenon_str{text->data() == nullptr ? "" : text->data(), text->size()};
  });
}

tenon_status FakeConfig::integer(std::string_view pointer, std::int64_t& out) const {
  return answer(find(pointer), out, [](const JsonValue& value) { return value.as_i64(); });
}

tenon_status FakeConfig::number(std::string_view pointer, double& out) const {
  return answer(find(pointer), out, [](const JsonValue& value) { return value.as_double(); });
}

tenon_status FakeConfig::boolean(std::string_view pointer, std::uint32_t& out) const {
  return answer(find(pointer), out, [](const JsonValue& value) { return value.as_bool(); });
}

tenon_status FakeConfig::duration(std::string_view pointer, std::uint64_t& out_ns) const {
  return answer(find(pointer), out_ns, [](const JsonValue& value) -> std::optional<std::uint64_t> {
    const auto text = value.as_string();
    if (!text) return std::nullopt;
    const auto parsed = parse_duration(*text);
    if (!parsed.ok()) return std::nullopt;
    return static_cast<std::uint64_t>(parsed.value().count());
  });
}

tenon_status FakeConfig::size(std::string_view pointer, std::uint64_t& out_octets) const {
  return answer(find(pointer), out_octets, [](const JsonValue& value) -> std::optional<std::uint64_t> {
    const auto text = value.as_string();
    if (!text) return std::nullopt;
    const auto parsed = parse_bytes(*text);
    if (!parsed.ok()) return std::nullopt;
    return parsed.value();
  });
}

tenon_status FakeConfig::count(std::string_view pointer, std::size_t& out) const {
  return answer(find(pointer), out, [](const JsonValue& value) -> std::optional<std::size_t> {
    if (!value.is_array() && !value.is_object()) return std::nullopt;
    return value.size();
  });
}

tenon_status FakeConfig::key(std::string_view pointer, std::size_t index, tenon_str& out) const {
  const auto value = find(pointer);
  if (!value) return TENON_ERR_NOT_FOUND;
  if (!value->is_object()) return TENON_ERR_INVALID_ARGUMENT;
  if (index >= value->size()) return TENON_ERR_NOT_FOUND;
  const std::string_view name = value->members()[index].key;
  out = {name.empty() ? "" : name.data(), name.size()};
  return TENON_OK;
}

}  // namespace tenon::test_support
