// An analyst in C++. One event a line on stdin and on stdout; stderr is log.
//
// A task.assignment is delivered at least once: it stays the host's until the task.result whose correlationid is the
// assignment's id. That is what --crash-every N shows: every Nth assignment makes this program abort with the file in
// its hands, and the host gives the file to another worker.
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <string>

#include <simdjson.h>

#include "event_line.hpp"
#include "text_statistics.hpp"

namespace {

using demo::emit;
using demo::json_string;

// Without a correlationid, for that would be an answer.
void report_progress(const std::string& task, int done, const char* text) {
  emit(R"({"type":"task.progress","data":{"task":)" + task + R"(,"done":)" + std::to_string(done) +
       R"(,"total":2,"text":")" + text + R"("}})");
}

// The answer, which settles the assignment `id`.
void report_result(std::string_view id, const std::string& task, const std::string& members) {
  emit(R"({"type":"task.result","correlationid":)" + json_string(id) + R"(,"data":{"task":)" + task + "," + members +
       "}}");
}

std::string to_json(const demo::TextStatistics& found) {
  std::string json =
      R"({"lines":)" + std::to_string(found.lines) + R"(,"words":)" + std::to_string(found.words) + R"(,"top":[)";
  const char* comma = "";
  for (const auto& [word, count] : found.top) {
    json += comma + (R"({"word":)" + json_string(word)) + R"(,"count":)" + std::to_string(count) + "}";
    comma = ",";
  }
  return json + "]}";
}

void analyse(std::string_view id, std::string_view task_id, std::string_view path) {
  const std::string task = json_string(task_id);
  std::ifstream file{std::string(path), std::ios::binary};
  if (!file) return report_result(id, task, R"("ok":false,"error":"the file cannot be read")");
  report_progress(task, 1, "file opened");
  const demo::TextStatistics found = demo::count_text(file);
  // A directory opens, too; only reading says that it has no text.
  if (file.bad()) return report_result(id, task, R"("ok":false,"error":"the file cannot be read to its end")");
  report_progress(task, 2, "words counted");
  report_result(id, task, R"("ok":true,"result":)" + to_json(found));
}

// 0: never. Nothing but a positive number is accepted.
unsigned crash_interval(int argc, char** argv) {
  if (argc == 1) return 0;
  unsigned every = 0;
  if (argc == 3 && std::strcmp(argv[1], "--crash-every") == 0) {
    const char* const end = argv[2] + std::strlen(argv[2]);
    const auto [rest, failed] = std::from_chars(argv[2], end, every);
    if (failed == std::errc() && rest == end && every > 0) return every;
  }
  std::cerr << "usage: analyst [--crash-every N]\n";
  std::exit(2);
}

}  // namespace

int main(int argc, char** argv) {
  const unsigned crash_every = crash_interval(argc, argv);
  unsigned taken = 0;
  simdjson::dom::parser parser;
  emit(R"({"type":"tenon.ready"})");
  for (std::string line; std::getline(std::cin, line);) {
    simdjson::dom::element event;
    std::string_view type, id, task, path;
    if (parser.parse(line).get(event) || event["type"].get(type)) continue;
    if (type == "tenon.shutdown") break;
    if (type != "task.assignment" || event["id"].get(id)) continue;
    if (event["data"]["task"].get(task) || event["data"]["path"].get(path)) {
      std::cerr << "an assignment without a task or a path: " << line << '\n';
      continue;
    }
    if (crash_every != 0 && ++taken % crash_every == 0) std::abort();
    analyse(id, task, path);
  }
}
