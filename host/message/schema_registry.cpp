#include <algorithm>
#include <filesystem>

#include "common/json_document.hpp"
#include "common/system.hpp"
#include "message/topic.hpp"
#include "message/validation.hpp"

namespace tenon::message {

namespace {

constexpr std::size_t kMaxFile = 4 << 20;

Result<std::vector<std::string>> schema_files(const std::string& directory) {
  namespace fs = std::filesystem;
  std::vector<std::string> files;
  std::error_code error;
  fs::recursive_directory_iterator at(directory, error);
  for (const fs::recursive_directory_iterator end; !error && at != end; at.increment(error)) {
    const fs::path& path = at->path();
    std::error_code ignored;
    if (at->is_directory(ignored) && path.filename().string().starts_with("examples")) at.disable_recursion_pending();
    else if (path.extension() == ".json" && at->is_regular_file(ignored)) files.push_back(path.string());
    if (files.size() > SchemaRegistry::kMaxSchemas) break;  // add() refuses them, with a sentence
  }
  if (error) return Error::from_errno(error.value(), "read the schema directory " + directory);
  std::sort(files.begin(), files.end());
  return files;
}

Result<std::string> text_member(const JsonValue& root, std::string_view name) {
  const auto value = root.find(name);
  if (!value) return std::string();
  if (!value->is_string() || value->as_string()->empty()) return value->mismatch("a text");
  return std::string(*value->as_string());
}

}  // namespace

Result<std::vector<SchemaText>> SchemaRegistry::read_directory(const std::string& directory) {
  auto files = schema_files(directory);
  if (!files.ok()) return std::move(files).error();
  std::vector<SchemaText> texts;
  for (std::string& file : *files) {
    auto text = read_file(file, kMaxFile);
    if (!text.ok()) return std::move(text).error();
    texts.push_back({std::move(file), std::move(*text)});
  }
  return texts;
}

Status SchemaRegistry::add_directory(const std::string& directory) {
  auto texts = read_directory(directory);
  if (!texts.ok()) return std::move(texts).error();
  for (const SchemaText& each : *texts) TENON_TRY(add(each.text, each.file));
  return {};
}

Status SchemaRegistry::add(std::string_view text, const std::string& file) {
  if (schemas_.size() >= kMaxSchemas)
    return Error(errc::exhausted, file + ": there are 10,000 schemas already; remove some", fault::caller);
  const auto refuse = [](Error error) { return Error(errc::bad_data, std::move(error.message), fault::caller); };
  const auto document = JsonDocument::parse(std::string(text), file, {.max_bytes = kMaxFile});
  if (!document.ok()) return refuse(document.error());
  auto type = text_member(document->root(), "x-tenon-type");
  if (!type.ok()) return refuse(std::move(type).error());
  auto id = text_member(document->root(), "$id");
  if (!id.ok()) return refuse(std::move(id).error());
  if (!type->empty() && !is_valid_pattern(*type))
    return refuse(
        document->root().find("x-tenon-type")->mismatch("an event type, or a pattern of types with '*' and '>'"));

  for (const Entry& other : entries_) {
    if ((type->empty() || other.type != *type) && (id->empty() || other.id != *id)) continue;
    return Error(errc::already_exists,
                 file + ": " + other.file + " is for the same " +
                     (other.type == *type && !type->empty() ? "type " + *type : "\"$id\" " + *id) +
                     "; remove one of the two",
                 fault::caller);
  }
  auto schema = Schema::compile(text, file);
  if (!schema.ok()) return std::move(schema).error();
  const Schema* compiled = schema->get();
  schemas_.push_back(std::move(*schema));
  if (!id->empty()) by_id_.emplace(*id, compiled);
  if (is_valid_topic(*type)) by_type_.emplace(*type, compiled);
  else if (!type->empty()) by_pattern_.emplace_back(*type, compiled);
  entries_.push_back({file, std::move(*type), std::move(*id)});
  return {};
}

const Schema* SchemaRegistry::find(std::string_view type, std::string_view dataschema) const {
  if (schemas_.empty()) return nullptr;
  if (!dataschema.empty())
    if (const auto named = by_id_.find(dataschema); named != by_id_.end()) return named->second;
  if (const auto exact = by_type_.find(type); exact != by_type_.end()) return exact->second;
  for (const auto& [pattern, schema] : by_pattern_)
    if (pattern_matches(pattern, type)) return schema;
  return nullptr;
}

}  // namespace tenon::message
