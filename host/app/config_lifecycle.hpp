// How a process is judged ready and healthy, limited, restarted, stopped and logged: the sections of a child that fill
// the runtime's own structs.
#pragma once

#include <vector>

#include "app/config_draft.hpp"
#include "runtime/process_config.hpp"

namespace tenon::app {

void read_ready(ConfigReader& reader, const JsonValue& at, runtime::ReadyConfig& out);
void read_limits(ConfigReader& reader, const JsonValue& at, runtime::ResourceLimits& out);
void read_stop(ConfigReader& reader, const JsonValue& at, runtime::StopConfig& out);
void read_log(ConfigReader& reader, const JsonValue& at, runtime::LogConfig& out);
// These two note the plugins that they name.
void read_restart(ConfigReader& reader, const JsonValue& at, ConfigDraft& draft, runtime::RestartConfig& out);
void read_health(ConfigReader& reader, const JsonValue& at, ConfigDraft& draft,
                 std::vector<runtime::HealthConfig>& out);

void describe_lifecycle(std::vector<SectionKeys>& out);

}  // namespace tenon::app
