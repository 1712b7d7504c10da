// What a reload changed, or would change, as a table.
#include "cli/values.hpp"
#include "cli/views.hpp"

namespace tenon::cli {

namespace {

struct Wording {
  std::string_view effect, done, to_do;
  Colour colour;
};
constexpr Wording kWordings[] = {
    {"started", "started", "start", Colour::green},
    {"stopped", "stopped and removed", "stop and remove", Colour::red},
    {"restarted", "restarted", "restart", Colour::yellow},
    {"next_start", "left alone until its next start", "leave alone until its next start", Colour::yellow},
    {"applied", "applied", "apply without a restart", Colour::none},
    {"next_run", "left as it was", "refused: only a restart of the host brings it", Colour::red},
};

Cell effect_cell(const std::string& effect, bool to_do) {
  for (const Wording& wording : kWordings) {
    if (wording.effect == effect) return {std::string(to_do ? wording.to_do : wording.done), wording.colour};
  }
  return {printable(effect)};
}

}  // namespace

std::string render_changes(const JsonValue& changes, bool to_do, const Style& style) {
  if (changes.size() == 0) return to_do ? "nothing differs from what the host runs\n" : "nothing has changed\n";
  TextTable table({{"WHAT"}, {"NAME"}, {"EFFECT"}, {"KEYS"}});
  for (const JsonValue change : changes.elements()) {
    std::string keys;
    if (const auto list = change.find("keys")) {
      for (const JsonValue key : list->elements())
        keys += (keys.empty() ? "" : ", ") + std::string(key.as_string().value_or("?"));
    }
    table.add_row({printable(member_text(change, "section")), printable(member_text(change, "name")),
                   effect_cell(member_text(change, "effect"), to_do), printable(keys)});
  }
  return table.render(style);
}

}  // namespace tenon::cli
