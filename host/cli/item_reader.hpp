// The items of a streamed body: server-sent events, or lines of JSON. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::cli {

struct StreamItem {
  std::string event;  // the server-sent event's name; empty: an ordinary item
  std::string data;
};

// Collects whole items; what is half waits for more. Comments are left out.
class ItemReader {
 public:
  enum class Framing : unsigned char { events, lines };
  explicit ItemReader(Framing framing) : framing_(framing) {}

  std::vector<StreamItem> feed(std::string_view bytes);

 private:
  void line(std::string_view text, std::vector<StreamItem>& items);

  Framing framing_;
  std::string input_;
  std::size_t looked_at_ = 0;  // of the input, without a line end in it
  StreamItem current_;
  bool has_data_ = false;
};

}  // namespace tenon::cli
