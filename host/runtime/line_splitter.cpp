#include "runtime/line_splitter.hpp"

#include <algorithm>

namespace tenon::runtime {

void LineSplitter::emit(std::string_view text, bool cut, const Sink& sink) {
  if (!cut && text.ends_with('\r')) text.remove_suffix(1);
  sink(text, cut);
}

void LineSplitter::feed(std::string_view bytes, const Sink& sink) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const bool whole = end != std::string_view::npos;
    const std::string_view piece = bytes.substr(0, end);
    bytes.remove_prefix(whole ? end + 1 : bytes.size());
    if (skipping_) {
      skipping_ = !whole;
      continue;
    }
    if (partial_.empty() && whole && piece.size() <= max_line_) {
      emit(piece, false, sink);  // the usual case copies nothing
      continue;
    }
    const std::size_t room = max_line_ - partial_.size();
    partial_ += piece.substr(0, room);
    if (piece.size() > room) {
      emit(partial_, true, sink);
      partial_.clear();
      skipping_ = !whole;
    } else if (whole) {
      emit(partial_, false, sink);
      partial_.clear();
    }
  }
  // A long line's buffer is not kept for the sake of a process that wrote one once.
  if (partial_.empty() && partial_.capacity() > 4096) partial_ = std::string();
}

void LineSplitter::finish(const Sink& sink) {
  if (!partial_.empty()) emit(partial_, false, sink);
  partial_ = std::string();
  skipping_ = false;
}

}  // namespace tenon::runtime
