#include "support/terminal_program.hpp"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "common/utf8.hpp"

namespace tenon::test_support {

namespace {

using Clock = std::chrono::steady_clock;

winsize window_of(std::size_t columns, std::size_t rows) {
  winsize window{};
  window.ws_col = static_cast<unsigned short>(columns), window.ws_row = static_cast<unsigned short>(rows);
  return window;
}

std::size_t number_of(std::string_view text, std::size_t otherwise) {
  return text.empty() ? otherwise : std::strtoul(std::string(text).c_str(), nullptr, 10);
}

}  // namespace

void Picture::resize(std::size_t columns, std::size_t rows) {
  columns_ = columns, rows_ = rows;
  for (Lines* lines : {&lines_, &covered_}) {
    lines->resize(rows);
    for (auto& line : *lines) line.resize(columns, " ");
  }
  row_ = std::min(row_, rows - 1);
}

std::string Picture::line(std::size_t row) const {
  std::string text;
  for (const std::string& cell : lines_.at(row)) text += cell;
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

std::string Picture::text() const {
  std::string all;
  for (std::size_t row = 0; row < rows_; ++row) all += line(row) + "\n";
  return all;
}

void Picture::put(std::string_view character) {
  if (column_ >= columns_ && wraps_) column_ = 0, control('\n');
  lines_[row_][std::min(column_, columns_ - 1)] = character;
  ++column_;
}

void Picture::control(char c) {
  if (c == '\r') column_ = 0;
  else if (c == '\b') column_ -= std::min<std::size_t>(column_, 1);
  else if (c == '\n' && row_ + 1 < rows_) ++row_;
  else if (c == '\n') lines_.erase(lines_.begin()), lines_.emplace_back(columns_, " ");
  else if (c != '\x18' && c != '\a') garbage_ += c;
}

void Picture::mode(std::string_view parameters, bool on) {
  if (parameters == "?25") cursor_ = on;
  else if (parameters == "?7") wraps_ = on;
  else if (parameters != "?1049") garbage_ += parameters;
  else if (on != std::exchange(alternate_, on)) std::swap(lines_, covered_);
}

void Picture::sequence(std::string_view parameters, char final) {
  const std::size_t semicolon = parameters.find(';');
  if (final == 'H') {
    row_ = std::min(number_of(parameters.substr(0, semicolon), 1), rows_) - 1;
    column_ = semicolon == parameters.npos ? 0 : number_of(parameters.substr(semicolon + 1), 1) - 1;
  } else if (final == 'K' && parameters.empty()) {
    for (std::size_t i = std::min(column_, columns_ - 1); i < columns_; ++i) lines_[row_][i] = " ";
  } else if (final == 'J' && parameters == "2") {
    for (auto& line : lines_) line.assign(columns_, " ");
  } else if (final == 'h' || final == 'l') {
    mode(parameters, final == 'h');
  } else if (final != 'm') {
    garbage_ += std::string(parameters) + final;
  }
}

void Picture::feed(std::string_view bytes) {
  input_ += bytes;
  std::string_view rest = input_;
  while (!rest.empty()) {
    const Utf8Step step = utf8_step(rest);
    std::size_t length = step.length;
    if (rest[0] == '\x1b') {
      const std::size_t end = rest.find_first_not_of("0123456789;?", 2);
      if (rest.size() < 2 || (rest[1] == '[' && end == rest.npos)) break;  // half
      if (rest[1] == '[') sequence(rest.substr(2, end - 2), rest[end]), length = end + 1;
      else garbage_ += rest[0];
    } else if (!step.valid) {
      if (rest.size() < 4) break;
      garbage_ += rest.substr(0, length);
    } else if (step.code_point < ' ') {
      control(rest[0]);
    } else {
      put(rest.substr(0, length));
    }
    rest.remove_prefix(length);
  }
  input_ = std::string(rest);
}

TerminalProgram::TerminalProgram(std::vector<std::string> argv, const std::vector<std::string>& environment,
                                 std::size_t columns, std::size_t rows)
    : picture_(columns, rows) {
  std::vector<char*> words;
  for (std::string& word : argv) words.push_back(word.data());
  words.push_back(nullptr);
  const winsize window = window_of(columns, rows);
  int terminal = -1;
  pid_ = ::forkpty(&terminal, nullptr, nullptr, &window);
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::setenv("TERM", "xterm", 1);
    ::unsetenv("NO_COLOR");
    for (const std::string& variable : environment) {
      const std::size_t sign = variable.find('=');
      ::setenv(variable.substr(0, sign).c_str(), variable.substr(sign + 1).c_str(), 1);
    }
    ::execvp(words[0], words.data());
    ::_exit(127);
  }
  terminal_.reset(terminal);
}

TerminalProgram::~TerminalProgram() {
  if (exit_code_ || pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void TerminalProgram::type(std::string_view keys) { (void)!::write(terminal_.get(), keys.data(), keys.size()); }

void TerminalProgram::resize(std::size_t columns, std::size_t rows) {
  picture_.resize(columns, rows);
  const winsize window = window_of(columns, rows);
  ::ioctl(terminal_.get(), TIOCSWINSZ, &window);
}

void TerminalProgram::signal(int number) { ::kill(pid_, number); }

termios TerminalProgram::modes() const {
  termios modes{};
  ::tcgetattr(terminal_.get(), &modes);
  return modes;
}

bool TerminalProgram::read_some(std::chrono::milliseconds patience) {
  pollfd readable{terminal_.get(), POLLIN, 0};
  if (::poll(&readable, 1, static_cast<int>(std::max<std::int64_t>(patience.count(), 0))) <= 0) return true;
  char bytes[65536];
  const ssize_t size = ::read(terminal_.get(), bytes, sizeof bytes);
  if (size <= 0) return size < 0 && errno == EINTR;
  bytes_.append(bytes, static_cast<std::size_t>(size));
  picture_.feed({bytes, static_cast<std::size_t>(size)});
  return true;
}

bool TerminalProgram::wait_until_picture(const std::function<bool(const Picture&)>& condition,
                                         std::chrono::milliseconds deadline) {
  const auto end = Clock::now() + deadline;
  while (!condition(picture_)) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
    if (left.count() <= 0 || !read_some(left)) return condition(picture_);
  }
  return true;
}

std::optional<int> TerminalProgram::wait(std::chrono::milliseconds deadline) {
  const auto end = Clock::now() + deadline;
  while (Clock::now() < end && read_some(std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()))) {
  }
  return wait_without_reading(std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()));
}

std::optional<int> TerminalProgram::wait_without_reading(std::chrono::milliseconds deadline) {
  wait_until(
      [&] {
        int status = 0;
        if (exit_code_ || ::waitpid(pid_, &status, WNOHANG) != pid_) return exit_code_.has_value();
        exit_code_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
        return true;
      },
      deadline);
  return exit_code_;
}

}  // namespace tenon::test_support
