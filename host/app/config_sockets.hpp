// `sockets` of a child: listening sockets that its processes are passed (sd_listen_fds(3)) and the host holds for them.
#pragma once

#include <vector>

#include "app/config_draft.hpp"
#include "runtime/process_config.hpp"

namespace tenon::app {

// Of the child `owner`, whose id is the name of a socket that has none.
void read_sockets(ConfigReader& reader, const JsonValue& at, const std::string& owner, ConfigDraft& draft,
                  std::vector<runtime::SocketConfig>& out);
// No two children, and no child and the control API, can listen at one place.
void check_listening_places(ConfigReader& reader, const ConfigDraft& draft);

void describe_sockets(std::vector<SectionKeys>& out);

}  // namespace tenon::app
