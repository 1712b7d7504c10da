#include "loader/plugin_identity.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <set>

#include <tenon/plugin.h>

#include "common/json_document.hpp"
#include "common/text.hpp"

namespace tenon::loader {
namespace {

constexpr std::string_view kSource = "plugin note";
constexpr std::size_t kMaxText = 256;

Error fault_of_plugin(Error error) {
  error.code = errc::bad_data;
  error.whose = fault::plugin;
  return error;
}

Result<JsonValue> member(JsonValue object, std::string_view key, std::string_view expected) {
  auto found = object.find(key);
  if (!found) {
    return fault_of_plugin(
        object.problem("member \"" + std::string(key) + "\" is missing, expected " + std::string(expected)));
  }
  return *found;
}

bool is_plugin_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

bool is_printable(std::string_view text) noexcept {
  return text.size() <= kMaxText && std::none_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
         });
}

template <class Accept>
Result<std::string> text_member(JsonValue object, std::string_view key, std::string_view expected, Accept accept) {
  auto value = member(object, key, expected);
  if (!value) return std::move(value).error();
  const auto text = value->as_string();
  if (!text || !accept(*text)) return fault_of_plugin(value->mismatch(expected));
  return std::string(*text);
}

Result<AbiVersion> parse_abi(JsonValue root) {
  constexpr std::string_view kExpected = "the ABI version as [major, minor]: use TENON_PLUGIN_NOTE";
  auto value = member(root, "abi", kExpected);
  if (!value) return std::move(value).error();
  if (!value->is_array() || value->size() != 2) return fault_of_plugin(value->mismatch(kExpected));
  const auto major = value->at(0).as_u64(), minor = value->at(1).as_u64();
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint16_t>::max();
  if (!major || !minor || *major > kMax || *minor > kMax) return fault_of_plugin(value->mismatch(kExpected));
  return AbiVersion{static_cast<std::uint16_t>(*major), static_cast<std::uint16_t>(*minor)};
}

Result<ComponentIdentity> parse_component(JsonValue value) {
  if (!value.is_object()) return fault_of_plugin(value.mismatch("a component: use TENON_NOTE_COMPONENT"));
  ComponentIdentity component;
  auto kind =
      text_member(value, "kind", "a kind of 1 to 64 letters [a-z0-9_], such as \"transport\"", is_component_name);
  if (!kind) return std::move(kind).error();
  component.kind = std::move(kind).value();
  auto name = text_member(value, "name", "a name of 1 to 64 letters [a-z0-9_]", is_component_name);
  if (!name) return std::move(name).error();
  component.name = std::move(name).value();
  constexpr std::string_view kSchema = "a JSON Schema: an object, such as {\"type\":\"object\"}";
  auto schema = member(value, "schema", kSchema);
  if (!schema) return std::move(schema).error();
  if (!schema->is_object() && !schema->is(JsonKind::boolean)) return fault_of_plugin(schema->mismatch(kSchema));
  component.schema = schema->to_json();
  return component;
}

Result<std::vector<ComponentIdentity>> parse_components(JsonValue root) {
  const std::string expected = "an array of 1 to " + std::to_string(kMaxComponents) + " components";
  auto list = member(root, "components", expected);
  if (!list) return std::move(list).error();
  if (!list->is_array() || list->size() == 0 || list->size() > kMaxComponents) {
    return fault_of_plugin(list->mismatch(expected));
  }
  std::vector<ComponentIdentity> components;
  std::set<std::string> seen;
  for (const JsonValue value : list->elements()) {
    auto component = parse_component(value);
    if (!component) return std::move(component).error();
    const std::string id = component_id(component->kind, component->name);
    if (!seen.insert(id).second) {
      return fault_of_plugin(value.problem("component " + id + " is listed twice: list each once"));
    }
    components.push_back(std::move(component).value());
  }
  return components;
}

}  // namespace

std::string to_string(AbiVersion abi) { return std::to_string(abi.major) + "." + std::to_string(abi.minor); }

AbiVersion host_abi() noexcept { return {TENON_ABI_MAJOR, TENON_ABI_MINOR}; }

std::string component_id(std::string_view kind, std::string_view name) {
  std::string id;
  id.reserve(kind.size() + 1 + name.size());
  id.append(kind).append("/").append(name);
  return id;
}

std::vector<std::string> PluginIdentity::component_ids() const {
  std::vector<std::string> ids;
  ids.reserve(components.size());
  for (const ComponentIdentity& component : components) ids.push_back(component_id(component.kind, component.name));
  return ids;
}

bool is_component_name(std::string_view text) noexcept { return is_plugin_name(text) && text.find('-') == text.npos; }

Result<PluginIdentity> parse_identity(std::string note_text) {
  auto document = JsonDocument::parse(std::move(note_text), std::string(kSource));
  if (!document) return fault_of_plugin(std::move(document).error().with_context("the note is not valid JSON"));
  const JsonValue root = document->root();
  if (!root.is_object()) return fault_of_plugin(root.mismatch("an object: use TENON_PLUGIN_NOTE"));

  PluginIdentity identity;
  auto abi = parse_abi(root);
  if (!abi) return std::move(abi).error();
  identity.abi = *abi;
  auto name = text_member(root, "name", "a name of 1 to 64 letters [a-z0-9_-]", is_plugin_name);
  if (!name) return std::move(name).error();
  identity.name = std::move(name).value();
  auto version_text = text_member(root, "version", "a semantic version such as \"1.2.3\"",
                                  [](std::string_view text) { return SemanticVersion::parse(text).ok(); });
  if (!version_text) return std::move(version_text).error();
  identity.version = SemanticVersion::parse(*version_text).value();
  if (identity.abi.major != host_abi().major) return identity;

  auto vendor = text_member(root, "vendor", "a printable text of at most 256 octets", is_printable);
  if (!vendor) return std::move(vendor).error();
  identity.vendor = std::move(vendor).value();
  auto licence = text_member(root, "licence", "a printable text of at most 256 octets", is_printable);
  if (!licence) return std::move(licence).error();
  identity.licence = std::move(licence).value();
  auto components = parse_components(root);
  if (!components) return std::move(components).error();
  identity.components = std::move(components).value();
  return identity;
}

}  // namespace tenon::loader
