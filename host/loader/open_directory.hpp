// A directory that is being read, closed when it goes.
#pragma once

#include <dirent.h>

#include <memory>
#include <string>

namespace tenon::loader {

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};
using OpenDirectory = std::unique_ptr<DIR, CloseDirectory>;

// Null, and errno says why.
inline OpenDirectory open_directory(const std::string& path) { return OpenDirectory(::opendir(path.c_str())); }

}  // namespace tenon::loader
