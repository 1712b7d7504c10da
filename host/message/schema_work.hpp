// How much work one check against a schema may be, so that no pair of schema and value holds up the loop.
//
// The model. While a check runs, `current` of its thread points to its account; what walks the value counts steps, what
// matches text counts the octets that it looks at, times what the pattern makes of each. Both take some five nanoseconds.
// At a limit Exceeded is thrown, through valijson.
#pragma once

#include <cstddef>

namespace tenon::message {

struct SchemaWork {
  struct Exceeded {};
  std::size_t step_limit = 0, text_limit = 0;
  std::size_t steps = 0, text = 0;
  static inline thread_local SchemaWork* current = nullptr;  // null: not counted, as while compiling
  static void count_step() {
    if (current != nullptr && ++current->steps > current->step_limit) throw Exceeded{};
  }
  static void count_text(std::size_t units) {
    if (current != nullptr && (current->text += units) > current->text_limit) throw Exceeded{};
  }
};

}  // namespace tenon::message
