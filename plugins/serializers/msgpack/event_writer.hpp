// Writes events in MessagePack, whole or as additions in front of one that is already encoded.
#pragma once

#include <cstddef>
#include <string_view>

#include <tenon/event.h>

#include "../shared/output.hpp"

namespace tenon::msgpack_plugin {

// Appends the event as one map in the order of tenon_event, `data` last; octets and base64 become `bin`. Throws
// TENON_ERR_UNTRANSLATABLE for a value in another format, TENON_ERR_INVALID_ARGUMENT for attributes that no event may
// have.
void write_event(const tenon_event& event, serializers::Output& out);

// Appends what must stand in place of the first octets of `encoded` so that it has the attributes `added` in front;
// returns how many octets those are: the map's header, whose form may grow. Throws TENON_ERR_BAD_DATA if `encoded` is
// no map.
std::size_t splice(std::string_view encoded, const tenon_attribute* added, std::size_t count, serializers::Output& out);

}  // namespace tenon::msgpack_plugin
