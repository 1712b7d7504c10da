// The collector's arithmetic: results by task, sums by worker, crashes, and their presentation.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace demo {

struct Result {
  std::string task;    // unique for each file
  std::string worker;  // who answered
  bool ok = false;
  std::uint64_t lines = 0, words = 0;
  std::vector<std::pair<std::string, std::uint64_t>> top;
};

class Tally {
 public:
  void set_total(std::uint64_t files) { total_ = files; }
  void add_progress(const std::string& task) {
    if (tasks_.count(task) == 0) in_work_.insert(task);
  }
  // True when one more tenth of the files is done. A task's second result is counted as a repetition only.
  bool add(const Result& result);
  void add_crash(const std::string& process);

  // Whether every file has its result.
  bool complete() const { return total_ && tasks_.size() >= *total_; }
  std::string progress_line() const;
  std::string report() const;

 private:
  struct Worker {
    std::uint64_t files = 0, lines = 0, words = 0, crashes = 0;
  };
  std::string frequent_words() const;

  std::optional<std::uint64_t> total_;       // empty until the feeder has counted
  std::unordered_set<std::string> tasks_;    // with a result
  std::unordered_set<std::string> in_work_;  // with progress, without a result
  std::map<std::string, Worker> workers_;
  std::map<std::string, std::uint64_t> words_;
  std::uint64_t failed_ = 0, repeated_ = 0, crashes_ = 0;
};

}  // namespace demo
