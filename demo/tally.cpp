#include "tally.hpp"

#include <algorithm>
#include <iomanip>
#include <sstream>

namespace demo {

namespace {

constexpr std::uint64_t kSteps = 10;  // progress lines in all
constexpr int kBarWidth = 30;
constexpr std::size_t kWordsShown = 6;

}  // namespace

bool Tally::add(const Result& result) {
  if (!tasks_.insert(result.task).second) {
    ++repeated_;
    return false;
  }
  in_work_.erase(result.task);
  if (!result.ok) ++failed_;
  Worker& worker = workers_[result.worker];
  ++worker.files;
  worker.lines += result.lines;
  worker.words += result.words;
  for (const auto& [word, count] : result.top) words_[word] += count;
  if (!total_) return false;
  const std::uint64_t done = tasks_.size();
  return done * kSteps / *total_ != (done - 1) * kSteps / *total_;
}

void Tally::add_crash(const std::string& process) {
  ++workers_[process].crashes;
  ++crashes_;
}

std::string Tally::progress_line() const {
  const std::uint64_t total = total_.value_or(0);
  const std::uint64_t done = tasks_.size();
  const auto filled = total == 0 ? 0 : static_cast<std::size_t>(done * kBarWidth / total);
  std::ostringstream line;
  line << '[' << std::string(filled, '#') << std::string(kBarWidth - filled, '.') << "] " << done << '/' << total
       << " files";
  for (const auto& [name, worker] : workers_) line << "  " << name << ' ' << worker.files;
  line << "  in work " << in_work_.size();
  return line.str();
}

std::string Tally::frequent_words() const {
  std::vector<std::pair<std::string, std::uint64_t>> words(words_.begin(), words_.end());
  std::stable_sort(words.begin(), words.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  if (words.size() > kWordsShown) words.resize(kWordsShown);
  std::string text;
  for (const auto& [word, count] : words)
    text += (text.empty() ? "" : ", ") + word + " (" + std::to_string(count) + ")";
  return text;
}

std::string Tally::report() const {
  std::ostringstream out;
  const auto row = [&out](const std::string& name, const auto& files, const auto& lines, const auto& words,
                          const auto& crashes) {
    out << std::left << std::setw(12) << name << std::right << std::setw(9) << files << std::setw(11) << lines
        << std::setw(12) << words << std::setw(10) << crashes << '\n';
  };
  Worker all;
  row("worker", "files", "lines", "words", "crashes");
  for (const auto& [name, worker] : workers_) {
    row(name, worker.files, worker.lines, worker.words, worker.crashes);
    all.files += worker.files;
    all.lines += worker.lines;
    all.words += worker.words;
    all.crashes += worker.crashes;
  }
  out << std::string(54, '-') << '\n';
  row("all", all.files, all.lines, all.words, all.crashes);
  if (!words_.empty()) out << "most frequent words: " << frequent_words() << '\n';
  if (failed_ != 0) out << failed_ << " files could not be read\n";
  if (repeated_ != 0) out << repeated_ << " results came twice and count once\n";

  const std::uint64_t total = total_.value_or(0);
  const std::uint64_t done = tasks_.size();
  out << "files=" << total << " results=" << done << " crashes=" << crashes_
      << " lost=" << (total > done ? total - done : 0) << '\n';
  return out.str();
}

}  // namespace demo
