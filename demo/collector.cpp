// The collector of the demo: shows live progress on stderr (see it with `tenon logs collector -f`), and at the end a
// table.
//
// usage: collector [REPORT]     the table goes to the file REPORT instead
//
// Results arrive at least once, so they are counted by task. The table is written when every file that demo.total
// announced has its result, or when the host shuts down before. Its last line is for programs:
// files=N results=N crashes=K lost=0
#include <csignal>
#include <fstream>
#include <iostream>
#include <string>

#include <simdjson.h>

#include "event_line.hpp"
#include "tally.hpp"

namespace {

using simdjson::dom::element;

// The last part of a source such as "//node/shell".
std::string process_of(std::string_view source) { return std::string(source.substr(source.rfind('/') + 1)); }

std::uint64_t number(const element& data, std::string_view key) {
  std::uint64_t value = 0;
  return data[key].get(value) == simdjson::SUCCESS ? value : 0;
}

demo::Result read_result(const element& event, const element& data) {
  demo::Result result;
  std::string_view text;
  if (!data["task"].get(text)) result.task = text;
  if (!event["source"].get(text)) result.worker = process_of(text);
  if (data["ok"].get(result.ok)) result.ok = false;
  element details;
  if (data["result"].get(details)) return result;
  result.lines = number(details, "lines");
  result.words = number(details, "words");
  simdjson::dom::array top;
  if (details["top"].get(top)) return result;
  for (const element word : top) {
    if (!word["word"].get(text)) result.top.emplace_back(text, number(word, "count"));
  }
  return result;
}

// Crashes are the host's to tell: a system event about a process that a signal ended.
void take_exit(demo::Tally& tally, const element& data) {
  std::string_view process;
  if (data["process"].get(process) || number(data, "signal") == 0) return;
  tally.add_crash(std::string(process));
  std::cerr << process << " crashed with a file in its hands; another worker gets the file\n";
}

void take_progress(demo::Tally& tally, const element& data) {
  std::string_view task;
  if (!data["task"].get(task)) tally.add_progress(std::string(task));
}

void take(demo::Tally& tally, const element& event, std::string_view type) {
  element data;
  if (event["data"].get(data)) return;
  if (type == "demo.total")
    tally.set_total(number(data, "files"));
  else if (type == "task.progress")
    take_progress(tally, data);
  else if (type == "system.process.exited")
    take_exit(tally, data);
  else if (type == "task.result" && tally.add(read_result(event, data)))
    std::cerr << tally.progress_line() << '\n';
}

void write_report(const demo::Tally& tally, const std::string& path) {
  if (path.empty()) {
    std::cerr << tally.report();
    return;
  }
  std::ofstream file(path);
  if (!(file << tally.report() << std::flush)) std::cerr << "the report cannot be written to " << path << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  // tenon.shutdown, or the end of stdin, says when to end; the signal that follows it would lose the table.
  std::signal(SIGTERM, SIG_IGN);
  const std::string report = argc > 1 ? argv[1] : "";
  demo::Tally tally;
  bool reported = false;
  simdjson::dom::parser parser;
  demo::emit(R"({"type":"tenon.ready"})");
  for (std::string line; std::getline(std::cin, line);) {
    element event;
    std::string_view type;
    if (parser.parse(line).get(event) || event["type"].get(type)) continue;
    if (type == "tenon.shutdown") break;
    take(tally, event, type);
    if (!reported && tally.complete()) {
      write_report(tally, report);
      reported = true;
    }
  }
  if (!reported) write_report(tally, report);
}
