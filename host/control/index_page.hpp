// The page at GET /: the processes as a table, readable without any other resource. Pure.
#pragma once

#include <string>
#include <string_view>

namespace tenon::control {

// `processes` is the document of GET /v1/processes, `info` that of GET /v1/info. Every value is escaped.
std::string render_index_page(std::string_view info, std::string_view processes);

}  // namespace tenon::control
