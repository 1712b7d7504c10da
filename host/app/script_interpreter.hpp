// What a script needs besides itself: the program that its first line names.
#pragma once

#include <string>
#include <string_view>

namespace tenon::app {

// Of a file that the kernel would execute: what keeps it from starting, as a sentence; empty if nothing does, or if the
// file is no script (#!) or cannot be read. `search_path` is the PATH that `/usr/bin/env` would look names up in.
std::string wrong_with_interpreter(const std::string& file, std::string_view search_path);

// Whether there is a regular file that this process may execute.
enum class Found : unsigned char { nothing, not_executable, program };
Found look_for_program(const std::string& path);

}  // namespace tenon::app
