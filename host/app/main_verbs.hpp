// The verbs that need the host's own code, handed to the command line.
#pragma once

#include "cli/cli.hpp"

namespace tenon::app {

cli::LocalVerbs local_verbs();

}  // namespace tenon::app
