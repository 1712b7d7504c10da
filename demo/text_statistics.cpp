#include "text_statistics.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <unordered_map>

namespace demo {

namespace {

constexpr std::size_t kFrequentWords = 3;
constexpr std::size_t kShortestFrequent = 4;

bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
char small(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

TextStatistics count_text(std::istream& text) {
  TextStatistics found;
  std::unordered_map<std::string, std::uint64_t> counts;
  std::string word;
  const auto end_word = [&] {
    if (word.empty()) return;
    ++found.words;
    if (word.size() >= kShortestFrequent) ++counts[word];
    word.clear();
  };
  for (std::istreambuf_iterator<char> at(text), end; at != end; ++at) {
    if (*at == '\n') ++found.lines;
    if (is_letter(*at))
      word += small(*at);
    else
      end_word();
  }
  end_word();

  found.top.assign(counts.begin(), counts.end());
  const auto kept = std::min(found.top.size(), kFrequentWords);
  std::partial_sort(
      found.top.begin(), found.top.begin() + static_cast<std::ptrdiff_t>(kept), found.top.end(),
      [](const auto& a, const auto& b) { return a.second != b.second ? a.second > b.second : a.first < b.first; });
  found.top.resize(kept);
  return found;
}

}  // namespace demo
