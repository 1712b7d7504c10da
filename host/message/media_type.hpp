// Content types: what a text like "application/cloudevents+json; charset=utf-8" says about an encoding.
//
// Sources: RFC 9110, section 8.3 (parameters, case), RFC 6839 (structured syntax suffixes), CloudEvents 1.0.2, "Content
// Modes" (structured mode).
#pragma once

#include <string>
#include <string_view>

namespace tenon::message {

// Without parameters, blanks around it and upper case: "application/json".
std::string media_type_of(std::string_view content_type);

// The encoding that the type is written in: what follows the last '+', else the type itself. "application/vnd.x+json"
// and "application/cloudevents+json" are application/json.
std::string encoding_of(std::string_view content_type);

}  // namespace tenon::message
