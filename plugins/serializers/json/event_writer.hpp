// Writes events in the CloudEvents JSON format, whole or as additions in front of one that is already encoded.
#pragma once

#include <cstddef>
#include <string_view>

#include <tenon/event.h>

#include "../shared/output.hpp"

namespace tenon::json_plugin {

// Appends the event as one JSON object without blanks, attributes in the order of tenon_event, `data` last. Payload
// octets become a JSON string if their datacontenttype is a text and they are UTF-8, else `data_base64`. Throws
// TENON_ERR_UNTRANSLATABLE for a value in another format, TENON_ERR_INVALID_ARGUMENT for attributes that no event may
// have.
void write_event(const tenon_event& event, serializers::Output& out);

// Appends what must stand in place of the first octets of `encoded` so that it has the attributes `added` in front;
// returns how many octets those are. Throws TENON_ERR_BAD_DATA if `encoded` does not begin like an object.
std::size_t splice(std::string_view encoded, const tenon_attribute* added, std::size_t count, serializers::Output& out);

}  // namespace tenon::json_plugin
