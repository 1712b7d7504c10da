// Writes the scalars of JSON.
#pragma once

#include <cstdint>
#include <string_view>

#include "../shared/output.hpp"

namespace tenon::json_plugin {

// The text as a JSON string with its quotes. Only what must be escaped is. Requires UTF-8.
void put_string(serializers::Output& out, std::string_view text);

// The octets as a JSON string of base64.
void put_base64(serializers::Output& out, std::string_view octets);

void put_integer(serializers::Output& out, std::int64_t value);
void put_natural(serializers::Output& out, std::uint64_t value);

// The shortest text that reads back as the same double, and always as a double: 3 is written 3.0, so that a reader does
// not turn it into an integer. Requires a finite value.
void put_real(serializers::Output& out, double value);

}  // namespace tenon::json_plugin
