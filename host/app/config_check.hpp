// Loading a config the way the host does, with everything that only plugins and schemas can answer; and `tenon check`.
#pragma once

#include <string>

#include "app/config_loader.hpp"

namespace tenon::app {

// `replay`: rebuild an accepted config from its records.
LoadOptions load_options(bool replay);


// `tenon check`: prints every problem (or JSON) to stdout; 0 if there is none, else 1.
int check_config(const std::string& path, bool json);

}  // namespace tenon::app
