// Why nobody got an event that came over the control API, as an error that tells its client what to do.
//
// The dead letters about the event say who refused it and why. Where one receiver may take it later, the client is to
// come back (errc::exhausted, retryable); where none will, it learns what is wrong with the event (errc::exhausted with
// fault::caller: too large; errc::untranslatable) or with its receivers (errc::wrong_state: closed or ended;
// errc::not_found: there is none). Pure. [loop]
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "common/error.hpp"
#include "message/dead_letter.hpp"
#include "message/router.hpp"

namespace tenon::app {

// The number of the newest letter; 0: there is none. To be asked for before an event is published.
std::uint64_t newest_letter(const message::DeadLetterStore& store) noexcept;
// The letters about this event that are newer, the oldest first. Valid until the store changes.
std::vector<const message::DeadLetter*> letters_about(const message::DeadLetterStore& store, std::string_view event_id,
                                                      std::uint64_t newer_than);

// Somebody has it: trying again would give it to them twice.
bool taken(const message::PublishResult& result) noexcept;

// Requires !taken(result). `letters`: what letters_about found; empty if the store kept none.
Error publish_refusal(const message::PublishResult& result, const message::Event& event,
                      const std::vector<const message::DeadLetter*>& letters);

}  // namespace tenon::app
