#include "app/log_stream.hpp"

#include <algorithm>
#include <map>

#include "common/json_writer.hpp"
#include "common/rfc3339.hpp"

namespace tenon::app {

namespace {

using runtime::LogCapture;
using runtime::LogLine;
using runtime::LogStream;
using runtime::ProcessId;

constexpr std::size_t kPage = 1024 * 1024;

// With `id` where the lines of several processes are mixed; positions mean something for one alone.
std::string log_item(const LogLine& line, const ProcessId* id) {
  JsonWriter json;
  json.begin_object();
  if (id != nullptr) json.member("id", *id);
  json.member("time", format_rfc3339(line.at, Rfc3339Precision::nanoseconds).view());
  json.member("stream", to_string(line.stream)).member("text", line.text).member("cut", line.cut);
  if (id == nullptr && line.position != 0) json.member("position", line.position);
  return json.end_object().take();
}

class Items {
 public:
  explicit Items(const std::vector<ProcessId>& ids) : several_(ids.size() > 1) {}

  LogCapture::LineCallback of(const ProcessId& id) {
    return [this, &id](const LogLine& line) { items_.emplace_back(line.at, log_item(line, several_ ? &id : nullptr)); };
  }
  void add_host_line(WallTime at, const std::string& text) {
    items_.emplace_back(at, log_item({LogStream::host, at, false, text}, nullptr));
  }
  WallTime last() const { return items_.empty() ? WallTime::min() : items_.back().first; }
  // The oldest first; none that is later than `end`. False: not all found room.
  bool push(control::StreamSink& sink, WallTime end = WallTime::max()) {
    bool all = true;
    const auto earlier = [](const auto& a, const auto& b) { return a.first < b.first; };
    std::stable_sort(items_.begin(), items_.end(), earlier);
    for (const auto& [at, item] : items_)
      if (at <= end) all = sink.push(item) && all;
    return all;
  }

 private:
  const bool several_;
  std::vector<std::pair<WallTime, std::string>> items_;
};

void push_last_lines(const LogCapture& logs, const std::vector<ProcessId>& ids, std::size_t lines,
                     control::StreamSink& sink) {
  Items items(ids);
  for (const ProcessId& id : ids) logs.last_lines(id, lines, items.of(id));
  items.push(sink);
}

std::string told_missing(const std::vector<ProcessId>& ids) {
  constexpr std::size_t kNamed = 3;
  std::string names;
  for (std::size_t i = 0; i < std::min(ids.size(), kNamed); ++i) names += (i == 0 ? "" : ", ") + ids[i];
  if (ids.size() > kNamed) names += " and " + std::to_string(ids.size() - kNamed) + " more";
  return "earlier lines of " + names + " may be missing here: neither the host's memory nor a log file has them any "
         "more; with log.file they outlive the engine";
}

// A page. What is not there any more is told where what is there begins. Returns the time after which the next page
// begins, should there be one: behind a stream that is full none is, as nothing leaves it within a turn.
std::optional<WallTime> push_lines_after(const LogCapture& logs, const std::vector<ProcessId>& ids, WallTime after,
                      control::StreamSink& sink) {
  Items items(ids);
  std::map<WallTime, std::vector<ProcessId>> missing;
  WallTime end = WallTime::max();
  for (const ProcessId& id : ids) {
    const LogCapture::Page page = logs.lines_after(id, after, kPage / ids.size(), items.of(id));
    if (page.whole_from > after) missing[page.whole_from].push_back(id);
    // Of the others, what is later comes with the next page.
    if (page.more) end = std::min(end, items.last());
  }
  for (const auto& [at, those] : missing) items.add_host_line(at, told_missing(those));
  const bool room = items.push(sink, end);
  return end == WallTime::max() || !room ? std::nullopt : std::optional(end);
}

}  // namespace

Result<control::StreamHandle> open_logs(LogCapture& logs, const std::vector<ProcessId>& ids,
                                        const control::LogRequest& request, std::shared_ptr<control::StreamSink> sink) {
  std::optional<WallTime> after = request.after;
  while (after) {
    after = push_lines_after(logs, ids, *after, *sink);
    if (!request.follow) break;  // a page is what was asked for
  }
  if (!request.after && !request.from) push_last_lines(logs, ids, request.lines, *sink);
  auto followers = std::make_shared<std::vector<LogCapture::Follower>>();
  for (const ProcessId& id : ids) {
    if (!request.follow && (request.after || !request.from)) break;
    // A position from before a restart of the engine may lie ahead of the new ring.
    const std::uint64_t from = request.after ? UINT64_MAX : request.from.value_or(UINT64_MAX);
    const auto push = [sink, id, several = ids.size() > 1](const LogLine& line) {
      sink->push(log_item(line, several ? &id : nullptr));
    };
    auto follower = logs.follow(id, std::min(from, logs.end_position(id)), push);
    if (!follower.ok()) return std::move(follower).error();
    followers->push_back(std::move(*follower));
  }
  if (request.follow) return control::StreamHandle(std::move(followers));
  sink->end();
  return control::StreamHandle();
}

}  // namespace tenon::app
