// Whole MessagePack values, on msgpack-c's visitor parser: the check of `data` and the value stream.
//
// Every form of the specification is read, also longer ones than necessary. Text must be UTF-8 (it must be expressible
// in other formats), nesting at most kMaxDepth. Lengths that the input only claims cost nothing: the visitor is called
// with what is there.
#pragma once

#include <cstddef>
#include <string_view>

#include <tenon/serializer.h>

#include "../shared/map_keys.hpp"

namespace tenon::msgpack_plugin {

// The size of the value at the start of `input`. `offset` is where `input` begins in what the sender sent, for the
// errors. Throws TENON_ERR_BAD_DATA.
std::size_t check_value(std::string_view input, std::size_t offset);

// Reads one value, which is all of `input`, into the sink; returns what the sink returned if it ended the stream.
// Throws TENON_ERR_BAD_DATA, and TENON_ERR_UNTRANSLATABLE for a map key that is not text or comes twice. `keys` is
// memory that is kept between calls.
tenon_status read_value(std::string_view input, const tenon_value_sink& sink, serializers::MapKeys& keys);

}  // namespace tenon::msgpack_plugin
