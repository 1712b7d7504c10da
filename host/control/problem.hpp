// Errors as RFC 9457 problem documents, and which HTTP status an errc becomes. Pure.
#pragma once

#include <string>
#include <string_view>

#include "common/error.hpp"
#include "control/http_message.hpp"

namespace tenon::control {

// not_found 404 · invalid_argument, bad_data 400 · untranslatable 422 · permission 403 · wrong_state, already_exists
// 409 · exhausted, unavailable, cancelled 503 · timeout 504 · unsupported 501 · everything else 500.
int http_status(errc code) noexcept;
// The same, but 413 for exhausted by the caller's fault: what it sent is larger than may be.
int http_status(const Error& error) noexcept;

// {"type":"about:blank","title":…,"status":…,"detail":…}; a 503 carries Retry-After: 1. `detail` is one sentence for
// a person.
HttpResponse problem(int status, std::string_view detail);
// The same with "code", the errc's name, for programs.
HttpResponse problem(const Error& error);
// The same with "results", a JSON array: what became of each of several processes; and with "changes", another, unless
// empty: what of a config was applied all the same.
HttpResponse problem(int status, std::string_view detail, std::string_view results, std::string_view changes = {});

}  // namespace tenon::control
