// What of the machine a child may touch: its capabilities, its /tmp, its share of the disks.
#pragma once

#include <vector>

#include "app/config_reader.hpp"
#include "runtime/process_config.hpp"

namespace tenon::app {

void read_capabilities(ConfigReader& reader, const JsonValue& at, runtime::ProcessConfig& out);
void read_private_tmp(ConfigReader& reader, const JsonValue& at, runtime::ProcessConfig& out);
// io_priority goes with an io_class; which of the two is read first does not matter.
void read_io_class(ConfigReader& reader, const JsonValue& at, runtime::ProcessConfig& out);
void read_io_priority(ConfigReader& reader, const JsonValue& at, runtime::ProcessConfig& out);
void check_io(ConfigReader& reader, const JsonValue& child);

}  // namespace tenon::app
