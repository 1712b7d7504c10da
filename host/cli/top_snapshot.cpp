#include "cli/top_snapshot.hpp"

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <unordered_map>

#include "cli/values.hpp"
#include "common/json_document.hpp"

namespace tenon::cli {

namespace {

using Milliseconds = std::chrono::milliseconds;

std::uint64_t count_of(const JsonValue& object, std::string_view key) {
  const auto found = object.find(key);
  return found ? found->as_u64().value_or(0) : 0;
}

std::optional<Duration> duration_of(const JsonValue& object, std::string_view key) {
  const auto number = member_number(object, key);
  return number ? std::optional<Duration>(Milliseconds(*number)) : std::nullopt;
}

TopProcess read_process(const JsonValue& from) {
  TopProcess process;
  process.id = member_text(from, "id");
  process.status = member_text(from, "status", "");
  process.health = member_text(from, "health", "");
  process.reason = process_reason(from);
  process.supervisor = member_text(from, "supervisor", "");
  process.pid = member_number(from, "pid");
  process.uptime = duration_of(from, "uptime_ms");
  process.restarts = count_of(from, "restarts");
  if (const auto memory = from.find("memory_bytes")) process.memory = memory->as_u64();
  if (const auto cpu = from.find("cpu_seconds")) process.cpu_seconds = cpu->as_double();
  if (const auto mailbox = from.find("mailbox")) {
    process.waiting = count_of(*mailbox, "depth");
    process.capacity = count_of(*mailbox, "capacity");
    process.dropped = count_of(*mailbox, "dropped");
    process.delivered = count_of(*mailbox, "delivered");
  }
  const auto parked = from.find("parked");
  process.parked = parked && parked->is_object();
  return process;
}

void read_supervisors(const JsonValue& root, std::vector<TopSupervisor>& out) {
  struct Level {
    JsonValue node;
    std::size_t next = 0;
  };
  // An explicit stack: the host decides how deep the tree is.
  std::vector<Level> levels;
  const auto enter = [&](const JsonValue& node) {
    out.push_back({member_text(node, "id"), member_text(node, "strategy", ""), member_text(node, "state", ""),
                   member_text(node, "reason", ""), count_of(node, "restarts"), levels.size()});
    levels.push_back({node});
  };
  enter(root);
  while (!levels.empty()) {
    const auto children = levels.back().node.find("children");
    if (!children || levels.back().next >= children->size()) {
      levels.pop_back();
      continue;
    }
    const JsonValue child = children->at(levels.back().next++);
    if (child.find("children")) enter(child);
  }
}

Result<JsonDocument> parse(const std::string& body, std::string_view what) {
  auto document = JsonDocument::parse(body, "answer", {.max_depth = 1024, .max_bytes = 256 << 20});
  if (document) return document;
  return Error(errc::bad_data,
               "the host's answer about " + std::string(what) + " cannot be read: " + document.error().message);
}

// What `process` has used since `before` was seen, by the host's clock; nothing if that cannot be told.
std::optional<double> share_of(const TopProcess& process, const TopProcess* before) {
  if (!process.cpu_seconds || !process.uptime) return std::nullopt;
  double used = *process.cpu_seconds;
  Duration within = *process.uptime;
  const bool same = before != nullptr && before->pid == process.pid && before->uptime && before->cpu_seconds;
  if (same) used -= *before->cpu_seconds, within -= *before->uptime;
  if (within <= Duration(0)) return std::nullopt;
  // Less than before: a process that it had started went its own way, and took along what it had used.
  return std::max(0.0, used) / std::chrono::duration<double>(within).count();
}

}  // namespace

bool TopProcess::troubled() const noexcept {
  return status == "error" || status == "initializing" || health == "unhealthy" || health == "degraded" || parked;
}

Result<TopSnapshot> read_snapshot(const TopDocuments& documents, MonotonicTime taken) {
  TopSnapshot snapshot{.taken = taken};
  const auto info = parse(documents.info, "itself");
  if (!info) return info.error();
  snapshot.node = member_text(info->root(), "node");
  snapshot.version = member_text(info->root(), "version");
  snapshot.uptime = duration_of(info->root(), "uptime_ms");
  snapshot.engine_restarts = count_of(info->root(), "engine_restarts");
  snapshot.event_bytes = count_of(info->root(), "event_bytes");

  const auto processes = parse(documents.processes, "its processes");
  if (!processes) return processes.error();
  snapshot.processes.reserve(processes->root().size());
  for (const JsonValue process : processes->root().elements()) snapshot.processes.push_back(read_process(process));

  if (documents.tree.empty()) return snapshot;
  const auto tree = parse(documents.tree, "its tree");
  if (!tree) return tree.error();
  read_supervisors(tree->root(), snapshot.supervisors);
  return snapshot;
}

void add_rates(TopSnapshot& now, const TopSnapshot& before) {
  std::unordered_map<std::string_view, const TopProcess*> known;
  known.reserve(before.processes.size());
  for (const TopProcess& process : before.processes) known.emplace(process.id, &process);
  std::uint64_t delivered = 0;
  for (TopProcess& process : now.processes) {
    const auto found = known.find(process.id);
    const TopProcess* then = found == known.end() ? nullptr : found->second;
    process.cpu_share = share_of(process, then);
    // A new engine counts from 0 again.
    const std::uint64_t earlier = then != nullptr && then->delivered <= process.delivered ? then->delivered : 0;
    delivered += process.delivered - earlier;
  }
  const double seconds = std::chrono::duration<double>(now.taken - before.taken).count();
  if (seconds > 0) now.delivered_per_second = static_cast<double>(delivered) / seconds;
}

std::string cpu_json_line(const std::string& processes, const TopSnapshot& snapshot) {
  const auto document = parse(processes, "its processes");
  if (!document) return "[]\n";  // the snapshot could not have been read
  std::string out = "[";
  std::size_t i = 0;
  for (const JsonValue process : document->root().elements()) {
    const auto share = i < snapshot.processes.size() ? snapshot.processes[i].cpu_share : std::nullopt;
    char percent[64] = "null";
    if (share) std::snprintf(percent, sizeof percent, "%.1f", *share * 100);
    std::string text = process.to_json();
    if (text.ends_with('}')) {
      text.pop_back();
      text += std::string(text.size() > 1 ? "," : "") + "\"cpu_percent\":" + percent + "}";
    }
    out += (i++ == 0 ? "" : ",") + text;
  }
  return out + "]\n";
}

}  // namespace tenon::cli
