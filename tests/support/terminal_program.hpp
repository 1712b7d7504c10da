// A program on a terminal of its own, and what a person would see there.
//
// The model. The terminal is a pseudo-terminal whose other end this object holds: it reads what the program writes and
// keeps the picture that this makes, as far as a plain xterm's sequences go. What it does not know is kept as garbage.
// One column a character. Every wait has a deadline.
#pragma once

#include <termios.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/run_program.hpp"

namespace tenon::test_support {

// What bytes make of a screen.
class Picture {
 public:
  Picture(std::size_t columns, std::size_t rows) { resize(columns, rows); }
  void feed(std::string_view bytes);
  void resize(std::size_t columns, std::size_t rows);

  std::string line(std::size_t row) const;  // without spaces at its end
  std::string text() const;                 // every line, each with its end
  bool full_screen() const noexcept { return alternate_; }
  bool cursor() const noexcept { return cursor_; }
  bool wraps() const noexcept { return wraps_; }
  const std::string& garbage() const noexcept { return garbage_; }

 private:
  using Lines = std::vector<std::vector<std::string>>;
  void put(std::string_view character);
  void control(char c);
  void sequence(std::string_view parameters, char final);
  void mode(std::string_view parameters, bool on);

  std::size_t columns_ = 0, rows_ = 0, column_ = 0, row_ = 0;
  Lines lines_, covered_;  // covered_: of the ordinary screen, below the alternate one
  bool alternate_ = false, cursor_ = true, wraps_ = true;
  std::string input_, garbage_;
};

class TerminalProgram {
 public:
  TerminalProgram(std::vector<std::string> argv, const std::vector<std::string>& environment, std::size_t columns,
                  std::size_t rows);
  ~TerminalProgram();
  TerminalProgram(const TerminalProgram&) = delete;
  TerminalProgram& operator=(const TerminalProgram&) = delete;

  pid_t pid() const noexcept { return pid_; }
  void type(std::string_view keys);
  void resize(std::size_t columns, std::size_t rows);
  void signal(int number);

  // Reads until the picture is so; false at the deadline.
  bool wait_until_picture(const std::function<bool(const Picture&)>& condition, std::chrono::milliseconds deadline = kSoon);
  bool shows(const std::string& text) {
    return wait_until_picture([&](const Picture& picture) { return picture.text().find(text) != std::string::npos; });
  }
  // Reads to the end of the program. Its exit code, 128 + signal if one ended it; empty when the deadline passed.
  std::optional<int> wait(std::chrono::milliseconds deadline = kSoon);
  // The same without reading: its terminal takes only so much.
  std::optional<int> wait_without_reading(std::chrono::milliseconds deadline = kSoon);

  const Picture& picture() const noexcept { return picture_; }
  termios modes() const;
  // What was read since it was last asked.
  std::string take_bytes() { return std::exchange(bytes_, {}); }

 private:
  bool read_some(std::chrono::milliseconds patience);  // false: the program's end of the terminal is closed

  unique_fd terminal_;
  pid_t pid_ = -1;
  std::optional<int> exit_code_;
  Picture picture_;
  std::string bytes_;
};

}  // namespace tenon::test_support
