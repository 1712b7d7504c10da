#include "app/script_interpreter.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "common/text.hpp"
#include "common/unique_fd.hpp"

namespace tenon::app {

namespace {

constexpr std::size_t kFirstLine = 256;  // what the kernel looks at (BINPRM_BUF_SIZE)
constexpr std::string_view kBlanks = " \t";

std::string first_line(const std::string& file) {
  const unique_fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  char text[kFirstLine];
  const ssize_t size = fd ? ::pread(fd.get(), text, sizeof text, 0) : -1;
  const std::string_view read(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  return std::string(read.substr(0, read.find('\n')));
}

// The next word of `rest`, which loses it.
std::string take_word(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(kBlanks), rest.size()));
  const std::string_view word = rest.substr(0, rest.find_first_of(kBlanks));
  rest.remove_prefix(word.size());
  return std::string(word);
}

bool is_in_path(const std::string& name, std::string_view search_path) {
  for (const std::string_view directory : split(search_path, ':'))
    if (look_for_program(std::string(directory.empty() ? "." : directory) + "/" + name) == Found::program) return true;
  return false;
}

// Of `#!/usr/bin/env [-S] [NAME=value] name`: the name; empty if there is none to look up.
std::string name_for_env(std::string_view rest) {
  for (std::string word = take_word(rest); !word.empty(); word = take_word(rest)) {
    if (word.starts_with('-') || word.find('=') != word.npos) continue;
    return word.find('/') == word.npos ? word : "";
  }
  return "";
}

}  // namespace

Found look_for_program(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return Found::nothing;
  if (!S_ISREG(info.st_mode)) return Found::not_executable;
  return ::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0 ? Found::program : Found::not_executable;
}

std::string wrong_with_interpreter(const std::string& file, std::string_view search_path) {
  const std::string line = first_line(file);
  if (!line.starts_with("#!")) return "";
  if (line.ends_with('\r'))
    return "the script's first line ends with a carriage return, which the kernel takes for a part of the name; save "
           "the script with Unix line ends";
  std::string_view rest = std::string_view(line).substr(2);
  const std::string interpreter = take_word(rest);
  if (interpreter.empty()) return "the script's first line names no interpreter; write for instance #!/bin/sh";
  if (interpreter.front() != '/') return "";  // relative to where it will run
  const std::string asks = "the script's first line asks for " + quote_for_message(interpreter, 128);
  switch (look_for_program(interpreter)) {
    case Found::program: break;
    case Found::nothing: return asks + ", which does not exist; install it or mend the line";
    case Found::not_executable: return asks + ", which is no executable program; mend the line";
  }
  if (!interpreter.ends_with("/env")) return "";
  const std::string name = name_for_env(rest);
  if (name.empty() || is_in_path(name, search_path)) return "";
  return asks + " to find " + quote_for_message(name, 128) +
         ", which is not in the child's PATH; install it, mend the line, or set PATH in \"env\"";
}

}  // namespace tenon::app
