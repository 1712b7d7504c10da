// Which call may come next in a value stream, so that a writer never emits something malformed whatever drives it.
//
// The model. A stream is one value. Inside a map a key is due before each value; inside an array never. The levels that
// are open are a stack of at most kMaxDepth. A call out of order is a bug of whoever drives the stream:
// TENON_ERR_WRONG_STATE.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "refuse.hpp"

namespace tenon::serializers {

// How deep arrays and maps may nest, in every format, so that what one accepts the others can write.
inline constexpr std::size_t kMaxDepth = 512;

inline constexpr std::uint64_t kUnknownCount = UINT64_MAX;

class ValueOrder {
 public:
  struct Level {
    bool map;
    bool value_due;           // a key came and its value did not yet
    std::uint64_t announced;  // elements or pairs, or kUnknownCount
    std::uint64_t count;      // elements or pairs that began so far
    std::size_t header;       // the writer's own: where the container begins in its output
  };

  void start() noexcept {
    levels_.clear();
    complete_ = false;
  }
  // The innermost open container, or null at the root.
  const Level* innermost() const noexcept { return levels_.empty() ? nullptr : &levels_.back(); }

  // A value of any kind begins.
  void value() {
    if (levels_.empty()) {
      if (complete_) out_of_order("a second value after the first; end the stream with finish_value");
      complete_ = true;  // of a container this holds once it is closed, and only whole() looks at both
      return;
    }
    Level& level = levels_.back();
    if (level.map) {
      if (!level.value_due) out_of_order("a value in a map without its key; call key first");
      level.value_due = false;
    } else {
      ++level.count;
    }
  }
  void key() {
    if (levels_.empty() || !levels_.back().map) out_of_order("a key outside of a map; call begin_map first");
    if (levels_.back().value_due) out_of_order("two keys in a row; write the first one's value");
    levels_.back().value_due = true;
    ++levels_.back().count;
  }
  // After value().
  void open(bool map, std::uint64_t announced, std::size_t header) {
    if (levels_.size() == kMaxDepth) {
      untranslatable("the value is nested deeper than 512 levels; flatten it");
    }
    levels_.push_back({map, false, announced, 0, header});
  }
  Level close(bool map) {
    if (levels_.empty() || levels_.back().map != map) out_of_order("an end without its begin; end what was begun last");
    const Level level = levels_.back();
    if (level.value_due) out_of_order("a map ends after a key; write its value first");
    if (level.announced != kUnknownCount && level.announced != level.count) {
      out_of_order(
          "a container ends with another number of elements than was announced; announce the number that comes");
    }
    levels_.pop_back();
    return level;
  }
  // Exactly one value came, and every container in it was ended.
  bool whole() const noexcept { return complete_ && levels_.empty(); }

 private:
  [[noreturn, gnu::cold, gnu::noinline]] static void out_of_order(const char* what) {
    throw sdk::Error(TENON_ERR_WRONG_STATE, std::string("value stream: ") + what, TENON_FAULT_CALLER);
  }

  std::vector<Level> levels_;
  bool complete_ = false;
};

}  // namespace tenon::serializers
