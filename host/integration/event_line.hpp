// Tells a line of log from a line that was meant as an event and went wrong.
//
// On a line-framed channel everything that is no JSON object with a string `type` is log. A serializer that refuses a
// line does not say which it was: a program's brace-and-words log line, or an event with one bad attribute, whose
// sender must hear of it.
#pragma once

#include <string_view>

namespace tenon::integration {

// Whether the line begins like a JSON object (RFC 8259) that has a member `type` with a string value. Looks at the
// members in order and no deeper than their brackets, so neither depth, bad UTF-8 nor a broken value elsewhere hides
// the type. Linear; allocates nothing.
bool is_meant_as_event(std::string_view line) noexcept;

}  // namespace tenon::integration
