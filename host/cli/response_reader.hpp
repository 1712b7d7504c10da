// Bytes from the host become one HTTP answer. Pure: no socket.
//
// The model. A reader is in the *head*, in the *body* (of a told length, in chunks, or up to the end of the
// connection), then *done*; or *failed*: what came is no HTTP. take_body() hands out what has been decoded so far,
// for answers without an end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tenon::cli {

struct ResponseHead {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> fields;  // names in lower case
  const std::string* find(std::string_view name) const noexcept;  // null: not there
};

class ResponseReader {
 public:
  static constexpr std::size_t kMaxHead = 64 << 10;
  enum class State : std::uint8_t { head, body, done, failed };

  State state() const noexcept { return state_; }
  void feed(std::string_view bytes);
  // The connection has ended: an answer without a told length is done, every other is cut off.
  void end();

  const ResponseHead& head() const noexcept { return head_; }  // meaningful from State::body on
  std::string take_body() { return std::exchange(body_, {}); }

 private:
  enum class Framing : std::uint8_t { length, chunked, until_end };
  bool read_head();
  bool parse_head(std::string_view text);
  bool decide_framing();
  bool read_body();
  bool read_chunk();
  bool fail();

  State state_ = State::head;
  Framing framing_ = Framing::until_end;
  std::string input_;
  std::uint64_t left_ = 0;     // of the body or the chunk
  bool in_chunk_ = false;      // the chunk's size has been read
  bool in_trailer_ = false;    // after the last chunk
  ResponseHead head_;
  std::string body_;
};

}  // namespace tenon::cli
