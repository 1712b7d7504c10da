#include "loader/quarantine.hpp"

#include <algorithm>
#include <utility>

#include "common/json_document.hpp"
#include "common/json_writer.hpp"
#include "common/text.hpp"
#include "loader/call_trace.hpp"

namespace tenon::loader {
namespace {

constexpr std::size_t kMaxText = 512;

bool condemns_at_once(const CrashReport& crash) {
  if (!crash.certain) return false;
  return crash.hung || crash.call == kCallLoad || crash.call == kCallDescribe || crash.call == kCallCreate;
}

std::string bounded(std::string_view text) { return replace_invalid_utf8(utf8_prefix(text, kMaxText)); }

Error unreadable(std::string sentence) {
  return Error(errc::bad_data, "the stored quarantine cannot be read (" + std::move(sentence) +
                                   "); it begins empty, so a plugin that crashed before may be loaded once more");
}

std::string text_of(JsonValue object, std::string_view key) {
  const auto value = object.find(key);
  const auto text = value ? value->as_string() : std::nullopt;
  return text ? bounded(*text) : std::string();
}

}  // namespace

std::string Quarantine::Entry::reason() const {
  std::string text = "killed the engine in " + (component.empty() ? call : component + " " + call) + " (" + how + ")";
  if (crashes > 1) text += ", " + std::to_string(crashes) + " times";
  return text + "; it is not loaded again until the file changes: install a mended version";
}

bool Quarantine::report(const CrashReport& crash) {
  const auto file = parse_trace_name(crash.file);
  if (!file) return false;
  Entry entry;
  const auto known =
      std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.content == file->content; });
  if (known != entries_.end()) {
    entry = std::move(*known);
    entries_.erase(known);
  }
  entry.content = file->content;
  entry.path = bounded(file->path);
  entry.component = bounded(crash.component);
  entry.call = bounded(crash.call);
  entry.how = bounded(crash.how);
  ++entry.crashes;
  entry.quarantined = entry.quarantined || condemns_at_once(crash) || entry.crashes > kToleratedCrashes;
  if (entries_.size() >= kMaxEntries) entries_.erase(entries_.begin());
  entries_.push_back(std::move(entry));
  return entries_.back().quarantined;
}

const Quarantine::Entry* Quarantine::find(const Digest& content) const noexcept {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return entry.quarantined && entry.content == content; });
  return found == entries_.end() ? nullptr : &*found;
}

bool Quarantine::tolerate(const std::string& path) {
  bool any = false;
  for (Entry& entry : entries_) {
    if (entry.path == bounded(path)) any = std::exchange(entry.quarantined, false) || any;
  }
  return any;
}

bool Quarantine::release(const Digest& content) {
  return std::erase_if(entries_, [&](const Entry& entry) { return entry.content == content; }) != 0;
}

std::string Quarantine::serialize() const {
  JsonWriter writer;
  writer.begin_object().key("quarantine").begin_array();
  for (const Entry& entry : entries_) {
    writer.begin_object()
        .member("content", to_hex(entry.content))
        .member("path", entry.path)
        .member("component", entry.component)
        .member("call", entry.call)
        .member("how", entry.how)
        .member("crashes", entry.crashes)
        .member("quarantined", entry.quarantined)
        .end_object();
  }
  writer.end_array().end_object();
  return writer.take();
}

Status Quarantine::restore(std::string_view bytes) {
  entries_.clear();
  const auto document = JsonDocument::parse(std::string(bytes), "quarantine");
  if (!document) return unreadable(document.error().message);
  const auto list = document->root().find("quarantine");
  if (!list || !list->is_array() || list->size() > kMaxEntries) return unreadable("no list of at most 256 entries");
  std::vector<Entry> entries;
  for (const JsonValue value : list->elements()) {
    const auto content = digest_from_hex(text_of(value, "content"));
    const auto crashes = value.find("crashes");
    const auto quarantined = value.find("quarantined");
    if (!content || !crashes || !quarantined) return unreadable(value.where());
    Entry entry;
    entry.content = *content;
    entry.path = text_of(value, "path");
    entry.component = text_of(value, "component");
    entry.call = text_of(value, "call");
    entry.how = text_of(value, "how");
    entry.crashes = static_cast<std::uint32_t>(std::min<std::uint64_t>(crashes->as_u64().value_or(1), 1'000'000));
    entry.quarantined = quarantined->as_bool().value_or(true);
    entries.push_back(std::move(entry));
  }
  entries_ = std::move(entries);
  return {};
}

}  // namespace tenon::loader
