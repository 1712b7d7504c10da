// What an engine leaves its successor of a plugin file that it loaded: the octets themselves, and where they came from.
//
// A successor loads from these, so that a file or directory that has gone, or was made unusable, since then takes
// nothing from the processes that depend on it.
#pragma once

#include <string>
#include <string_view>

#include "common/result.hpp"
#include "common/unique_fd.hpp"
#include "loader/plugin_file.hpp"
#include "loader/plugin_registry.hpp"

namespace tenon::loader {

struct KeptPlugin {
  PluginPlace place;
  FileStamp stamp;  // of the file when it was loaded
  unique_fd copy;   // read-only, of a file that has no name any more

  // All but the descriptor, as text. The path is whoever keeps it's to remember.
  std::string encode() const;
  // errc::bad_data for what encode did not make.
  static Result<KeptPlugin> decode(std::string_view text, std::string path, unique_fd copy);
};

}  // namespace tenon::loader
