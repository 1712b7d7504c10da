#include "cli/event_draft.hpp"

#include "common/json_document.hpp"
#include "common/json_writer.hpp"
#include "common/text.hpp"

namespace tenon::cli {

Result<std::string> draft_event(std::string_view topic, std::string_view type, std::string_view data,
                                std::string_view data_name) {
  JsonWriter event;
  event.begin_object().member("type", type.empty() ? topic : type).member("topic", topic);
  if (!trim(data).empty()) {
    const auto document = JsonDocument::parse(std::string(data), std::string(data_name), {.max_depth = 10'000});
    if (!document) {
      return Error(errc::invalid_argument,
                   "the data is no JSON: " + document.error().message + "; a text needs its quotes: --data '\"text\"'",
                   fault::caller);
    }
    event.key("data").raw(document->root().raw());
  }
  return event.end_object().take();
}

}  // namespace tenon::cli
