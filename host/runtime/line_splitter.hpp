// Cuts a byte stream into lines of bounded length. Pure.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace tenon::runtime {

class LineSplitter {
 public:
  // `text` without LF and without a CR before it; `cut` if the line was longer than the limit and only its beginning is
  // here.
  using Sink = std::function<void(std::string_view text, bool cut)>;

  explicit LineSplitter(std::size_t max_line) : max_line_(max_line) {}  // at least 1

  void feed(std::string_view bytes, const Sink& sink);
  // The stream ended: an unfinished line counts as one.
  void finish(const Sink& sink);
  std::size_t pending() const noexcept { return partial_.size(); }

 private:
  void emit(std::string_view text, bool cut, const Sink& sink);

  std::size_t max_line_;
  std::string partial_;
  bool skipping_ = false;  // the rest of a line that was cut is thrown away
};

}  // namespace tenon::runtime
