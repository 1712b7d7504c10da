// What an analyst finds out about a file. The worker in shell counts by the same rules.
#pragma once

#include <cstdint>
#include <istream>
#include <string>
#include <utility>
#include <vector>

namespace demo {

struct TextStatistics {
  std::uint64_t lines = 0;  // line feeds
  std::uint64_t words = 0;  // runs of ASCII letters
  // The three most frequent words of four letters and more, in small letters; of equally frequent ones the first in the
  // alphabet.
  std::vector<std::pair<std::string, std::uint64_t>> top;
};

// Reads to the end.
TextStatistics count_text(std::istream& text);

}  // namespace demo
