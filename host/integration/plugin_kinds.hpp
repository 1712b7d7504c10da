// The four kinds of components as the loader wants them described: their slots, which are required, what stands in for the
// optional ones.
#pragma once

#include <vector>

#include "loader/component_table.hpp"

namespace tenon::integration {

std::vector<loader::KindDescription> plugin_kinds();

}  // namespace tenon::integration
