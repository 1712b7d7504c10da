// The answer to a verb on several processes: all or not all. Pure.
#pragma once

#include <string>

#include "control/http_message.hpp"

namespace tenon::control {

// `results` is the host's array of {"id", "ok", "error"?, "status"}. All ok: 200 with the array. Otherwise a 409
// problem whose `detail` names the first that failed and why and how many did, and whose `results` is the array.
HttpResponse answer_verb(std::string results);

// The same for a change of the configuration: a document whose member "results" is such an array, or absent.
HttpResponse answer_change(std::string document);

}  // namespace tenon::control
