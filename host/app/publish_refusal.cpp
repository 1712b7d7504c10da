#include "app/publish_refusal.hpp"

#include <algorithm>
#include <optional>
#include <string>

namespace tenon::app {

namespace {

using message::DeadLetter;
using Reason = message::DeadLetterReason;
using Letters = std::vector<const DeadLetter*>;

constexpr std::string_view kWhereToLook = "; it was dead-lettered, `tenon deadletters list` shows it";

Error come_back(std::string text) { return {errc::exhausted, std::move(text), fault::host, true}; }
Error mend(errc code, std::string text) { return {code, std::move(text), fault::caller}; }

// What no later attempt changes, as long as neither the event nor its receiver does.
std::optional<errc> permanent(Reason reason) noexcept {
  switch (reason) {
    case Reason::too_large: return errc::exhausted;
    case Reason::untranslatable: return errc::untranslatable;
    case Reason::channel_closed:
    case Reason::receiver_ended: return errc::wrong_state;
    default: return std::nullopt;
  }
}

const DeadLetter* find(const Letters& letters, Reason reason) noexcept {
  const auto at = std::find_if(letters.begin(), letters.end(), [=](const auto* l) { return l->reason == reason; });
  return at == letters.end() ? nullptr : *at;
}

// A receiver had no room, and may have some later.
Error no_room(const Letters& letters) {
  if (find(letters, Reason::memory_limit) != nullptr)
    return come_back(
        "limits.events is reached: as many events wait as may; the event was dead-lettered, try again later, find with "
        "`tenon ps` who does not take its events, or raise limits.events");
  const DeadLetter* rejected = find(letters, Reason::rejected);
  const DeadLetter* letter = rejected != nullptr ? rejected : find(letters, Reason::blocked);
  const std::string whose = letter == nullptr ? "a receiver's mailbox" : "the mailbox of " + letter->receiver;
  return come_back(whose + " is full; the event was dead-lettered for it, try again later");
}

// Each receiver refused it in its own way. One that may take it later counts most, else the last of them.
Error refused_by_all(const Letters& letters) {
  if (letters.empty()) return come_back("no receiver took the event, each refused it" + std::string(kWhereToLook));
  const auto may_pass = [](const DeadLetter* letter) { return !permanent(letter->reason); };
  const auto temporary = std::find_if(letters.begin(), letters.end(), may_pass);
  const DeadLetter& letter = temporary == letters.end() ? *letters.back() : **temporary;
  std::string text =
      "no receiver took the event, " + letter.receiver + ": " + letter.detail + std::string(kWhereToLook);
  const auto code = permanent(letter.reason);
  return code ? mend(*code, std::move(text)) : come_back(std::move(text));
}

Error nobody_subscribes(const message::Event& event, const DeadLetter* letter) {
  if (letter != nullptr && !letter->receiver.empty()) return mend(errc::not_found, letter->detail);  // it has ended
  return mend(errc::not_found, "no subscription matches topic " + std::string(event.envelope.effective_topic()) +
                                   "; `tenon routes` lists them");
}

}  // namespace

std::uint64_t newest_letter(const message::DeadLetterStore& store) noexcept {
  return store.letters().empty() ? 0 : store.letters().back().number;
}

Letters letters_about(const message::DeadLetterStore& store, std::string_view event_id, std::uint64_t newer_than) {
  Letters found;
  const auto& letters = store.letters();
  for (auto letter = letters.rbegin(); letter != letters.rend() && letter->number > newer_than; ++letter)
    if (letter->message.event().envelope.id == event_id) found.push_back(&*letter);
  std::reverse(found.begin(), found.end());
  return found;
}

bool taken(const message::PublishResult& result) noexcept {
  return !result.failed && (result.parked || result.receivers != 0);
}

Error publish_refusal(const message::PublishResult& result, const message::Event& event, const Letters& letters) {
  if (result.blocked) return no_room(letters);
  if (!result.failed) return refused_by_all(letters);
  const DeadLetter* letter = find(letters, *result.failed);
  const std::string detail = letter != nullptr ? letter->detail : std::string(to_string(*result.failed));
  switch (*result.failed) {
    case Reason::no_receiver: return nobody_subscribes(event, letter);
    case Reason::no_such_target:
      return mend(errc::not_found, letter != nullptr ? detail : "there is no process " +
                                                                    std::string(event.envelope.target) +
                                                                    "; `tenon ps` lists them");
    case Reason::duplicate_request:
      return mend(errc::already_exists,
                  "a request with this id waits for its answer already; give each an id of its own");
    case Reason::request_limit:
      return come_back("as many requests wait for answers as may (" + detail +
                       "); try again later, and give requests shorter timeouts");
    case Reason::too_large: return mend(errc::exhausted, detail);
    default:
      return mend(errc::invalid_argument,
                  "not delivered, " + std::string(to_string(*result.failed)) + ": " + detail);
  }
}

}  // namespace tenon::app
