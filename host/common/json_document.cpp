#include "common/json_document.hpp"

#include <algorithm>
#include <limits>

#include "common/json_tree.hpp"
#include "common/json_writer.hpp"
#include "common/text.hpp"

namespace tenon {

namespace detail {

void JsonTree::index_lines(std::size_t first) {
  line_starts.assign(1, static_cast<std::uint32_t>(first));
  for (std::size_t feed = text.find('\n'); feed != std::string::npos; feed = text.find('\n', feed + 1)) {
    line_starts.push_back(static_cast<std::uint32_t>(feed + 1));
  }
}

JsonPosition JsonTree::position_of(std::size_t offset) const noexcept {
  offset = std::clamp<std::size_t>(offset, line_starts[0], std::max<std::size_t>(line_starts[0], text.size()));
  const auto after = std::upper_bound(line_starts.begin(), line_starts.end(), offset);
  const std::size_t start = *(after - 1);
  JsonPosition position;
  position.offset = offset;
  position.line = static_cast<std::uint32_t>(after - line_starts.begin());
  position.column = 1 + static_cast<std::uint32_t>(std::count_if(
                            text.begin() + static_cast<std::ptrdiff_t>(start),
                            text.begin() + static_cast<std::ptrdiff_t>(offset),
                            [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
  return position;
}

std::string JsonTree::where(std::size_t offset) const {
  const JsonPosition position = position_of(offset);
  return file_name + ":" + std::to_string(position.line) + ":" + std::to_string(position.column);
}

namespace {

bool is_plain_key(std::string_view key) noexcept {
  if (key.empty() || (key[0] >= '0' && key[0] <= '9')) return false;
  return std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_-$").find(c) != std::string_view::npos;
  });
}

void append_step(std::string& path, const JsonNode& node) {
  if (node.key_data == nullptr) {
    path += "[" + std::to_string(node.index) + "]";
  } else if (is_plain_key(node.key())) {
    path.append(1, '.').append(node.key());
  } else {
    path += '[';
    path += quote_for_message(node.key());
    path += ']';
  }
}

std::string count_of(std::size_t count, std::string_view container, std::string_view things) {
  if (count == 0) return "an empty " + std::string(container);
  return "an " + std::string(container) + " with " + std::to_string(count) + " " +
         std::string(things.substr(0, count == 1 ? things.size() - 1 : things.size()));
}

}  // namespace
}  // namespace detail

using detail::JsonNode;
using detail::kNoNode;

std::string_view to_string(JsonKind kind) noexcept {
  switch (kind) {
    case JsonKind::null: return "null";
    case JsonKind::boolean: return "a boolean";
    case JsonKind::integer: return "an integer";
    case JsonKind::number: return "a number";
    case JsonKind::string: return "a string";
    case JsonKind::array: return "an array";
    case JsonKind::object: return "an object";
  }
  return "a value";
}

JsonKind JsonValue::kind() const noexcept { return tree_->nodes[node_].kind; }

std::optional<bool> JsonValue::as_bool() const noexcept {
  const JsonNode& node = tree_->nodes[node_];
  if (node.kind != JsonKind::boolean) return std::nullopt;
  return node.boolean;
}

std::optional<std::int64_t> JsonValue::as_i64() const noexcept {
  const JsonNode& node = tree_->nodes[node_];
  if (node.kind != JsonKind::integer || node.above_i64) return std::nullopt;
  return node.i64;
}

std::optional<std::uint64_t> JsonValue::as_u64() const noexcept {
  const JsonNode& node = tree_->nodes[node_];
  if (node.kind != JsonKind::integer || (!node.above_i64 && node.i64 < 0)) return std::nullopt;
  return node.above_i64 ? node.u64 : static_cast<std::uint64_t>(node.i64);
}

std::optional<double> JsonValue::as_double() const noexcept {
  const JsonNode& node = tree_->nodes[node_];
  if (node.kind == JsonKind::number) return node.number;
  if (node.kind != JsonKind::integer) return std::nullopt;
  return node.above_i64 ? static_cast<double>(node.u64) : static_cast<double>(node.i64);
}

std::optional<std::string_view> JsonValue::as_string() const noexcept {
  const JsonNode& node = tree_->nodes[node_];
  if (node.kind != JsonKind::string) return std::nullopt;
  return std::string_view(node.string, node.size);
}

std::size_t JsonValue::size() const noexcept {
  const JsonNode& node = tree_->nodes[node_];
  return node.kind == JsonKind::array || node.kind == JsonKind::object ? node.size : 0;
}

JsonValue JsonValue::at(std::size_t i) const noexcept {
  return JsonValue(tree_, tree_->children[tree_->nodes[node_].first_child + i]);
}

std::optional<JsonValue> JsonValue::find(std::string_view key) const noexcept {
  if (!is_object()) return std::nullopt;
  for (std::size_t i = 0; i < size(); ++i) {
    const JsonValue child = at(i);
    if (child.key() == key) return child;
  }
  return std::nullopt;
}

JsonMembers JsonValue::members() const noexcept { return JsonMembers(*this, is_object() ? size() : 0); }
JsonElements JsonValue::elements() const noexcept { return JsonElements(*this, is_array() ? size() : 0); }

JsonMember JsonMembers::operator[](std::size_t i) const noexcept {
  const JsonValue child = parent_.at(i);
  return {child.key(), child};
}

std::string_view JsonValue::key() const noexcept { return tree_->nodes[node_].key(); }

JsonPosition JsonValue::key_position() const noexcept {
  const JsonNode& node = tree_->nodes[node_];
  return tree_->position_of(node.key_data == nullptr ? node.begin : node.key_offset);
}

JsonPosition JsonValue::position() const noexcept { return tree_->position_of(tree_->nodes[node_].begin); }

std::string JsonValue::path() const {
  std::vector<std::uint32_t> way;
  for (std::uint32_t id = node_; tree_->nodes[id].parent != kNoNode; id = tree_->nodes[id].parent) way.push_back(id);
  std::string path = "$";
  for (auto id = way.rbegin(); id != way.rend(); ++id) detail::append_step(path, tree_->nodes[*id]);
  return path;
}

std::string_view JsonValue::raw() const noexcept {
  const JsonNode& node = tree_->nodes[node_];
  return std::string_view(tree_->text).substr(node.begin, node.end - node.begin);
}

std::string JsonValue::to_json() const {
  struct Open {
    JsonValue value;
    std::size_t next;
  };
  std::string out;
  std::vector<Open> open;
  const auto write = [&](JsonValue value) {
    if (value.is_object() || value.is_array()) {
      out += value.is_object() ? '{' : '[';
      open.push_back({value, 0});
    } else {
      out += value.raw();
    }
  };
  write(*this);
  while (!open.empty()) {
    Open& top = open.back();
    if (top.next == top.value.size()) {
      out += top.value.is_object() ? '}' : ']';
      open.pop_back();
      continue;
    }
    if (top.next > 0) out += ',';
    const JsonValue child = top.value.at(top.next++);
    if (top.value.is_object()) {
      append_json_string(out, child.key());
      out += ':';
    }
    write(child);  // may move `top`
  }
  return out;
}

std::string JsonValue::describe() const {
  switch (kind()) {
    case JsonKind::string: return quote_for_message(*as_string());
    case JsonKind::object: return detail::count_of(size(), "object", "members");
    case JsonKind::array: return detail::count_of(size(), "array", "elements");
    default: return raw().size() <= 40 ? std::string(raw()) : std::string(raw().substr(0, 40)) + "…";
  }
}

std::string JsonValue::where() const { return tree_->where(tree_->nodes[node_].begin); }

Error JsonValue::problem(std::string_view sentence) const {
  return Error(errc::invalid_argument, where() + ": " + path() + ": " + std::string(sentence), fault::caller);
}

Error JsonValue::mismatch(std::string_view expected) const {
  return problem("found " + describe() + ", expected " + std::string(expected));
}

std::string_view JsonValue::file_name() const noexcept { return tree_->file_name; }

JsonDocument::JsonDocument(std::unique_ptr<detail::JsonTree> tree) noexcept : tree_(std::move(tree)) {}
JsonDocument::JsonDocument(JsonDocument&&) noexcept = default;
JsonDocument& JsonDocument::operator=(JsonDocument&&) noexcept = default;
JsonDocument::~JsonDocument() = default;

Result<JsonDocument> JsonDocument::parse(std::string text, std::string file_name, JsonOptions options) {
  auto tree = std::make_unique<detail::JsonTree>();
  tree->text = std::move(text);
  tree->file_name = std::move(file_name);
  TENON_TRY(detail::parse_json(*tree, options));
  return JsonDocument(std::move(tree));
}

JsonValue JsonDocument::root() const noexcept { return JsonValue(tree_.get(), 0); }
std::string_view JsonDocument::text() const noexcept { return tree_->text; }
std::string_view JsonDocument::file_name() const noexcept { return tree_->file_name; }
JsonPosition JsonDocument::position_of(std::size_t offset) const noexcept { return tree_->position_of(offset); }

}  // namespace tenon
