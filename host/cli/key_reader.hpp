// What a terminal sends as keys. Pure.
//
// The model. Bytes become characters (UTF-8) or the sequences that xterm, the Linux console, rxvt and their like send
// for keys without a character; what is unknown is read over. A lone ESC may be the key or the beginning of a
// sequence: only time tells, so after a pause of kEscapePause with pending() the caller asks settle().
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.hpp"

namespace tenon::cli {

struct Key {
  enum class Kind : std::uint8_t {
    character,  // `text` is the one printable character
    up,
    down,
    page_up,
    page_down,
    home,
    end,
    enter,
    escape,
    backspace,
    clear,   // Ctrl-U
    redraw,  // Ctrl-L
  };
  Kind kind = Kind::character;
  std::string text{};
  bool operator==(const Key&) const = default;
};

class KeyReader {
 public:
  static constexpr Duration kEscapePause = std::chrono::milliseconds(50);

  std::vector<Key> feed(std::string_view bytes);
  // Something is half.
  bool pending() const noexcept { return !input_.empty(); }
  // Nothing more came: a lone ESC was the key, everything else that is half is dropped.
  std::vector<Key> settle();

 private:
  std::string input_;  // at most one sequence, of a few dozen bytes
};

}  // namespace tenon::cli
