#include "cli/top_model.hpp"

#include "top_fixture.hpp"

namespace tenon::cli {
namespace {

using Kind = Key::Kind;

Key key(const char* text) { return {Kind::character, text}; }

TopState after(TopState state, const std::vector<Key>& keys, TopExtent extent = {100, 10}) {
  for (const Key& one : keys) state = press(std::move(state), one, extent).state;
  return state;
}
std::vector<Key> typed(std::string_view letters) {
  std::vector<Key> keys;
  for (const char letter : letters) keys.push_back({Kind::character, std::string(1, letter)});
  return keys;
}

// The ids, supervisors in brackets, indented by their depth.
std::string shown(const TopSnapshot& snapshot, const TopState& state) {
  std::string text;
  for (const TopRow& row : arrange(snapshot, state)) {
    text += std::string(row.depth, '>');
    text += row.process != nullptr ? row.process->id : "[" + row.supervisor->id + "]";
    text += ' ';
  }
  return text;
}

TEST(TopKeys, LettersChooseTheOrder) {
  const std::pair<const char*, SortKey> cases[] = {{"c", SortKey::cpu},     {"m", SortKey::memory}, {"i", SortKey::id},
                                                   {"r", SortKey::restarts}, {"s", SortKey::status}, {"u", SortKey::uptime}};
  for (const auto& [letter, sort] : cases) {
    const TopState state = after({.reversed = true, .scrolled = 5}, {key(letter)});
    EXPECT_EQ(state.sort, sort) << letter;
    EXPECT_FALSE(state.reversed) << letter;
    EXPECT_EQ(state.scrolled, 0u) << letter;
  }
  EXPECT_TRUE(after({}, {key("R")}).reversed);
  EXPECT_FALSE(after({}, {key("R"), key("R")}).reversed);
}

TEST(TopKeys, SortNamesAreThoseOfTheOption) {
  for (const SortKey sort :
       {SortKey::cpu, SortKey::memory, SortKey::restarts, SortKey::id, SortKey::status, SortKey::uptime})
    EXPECT_EQ(parse_sort_key(to_string(sort)), sort);
  EXPECT_EQ(parse_sort_key("pid"), std::nullopt);
}

TEST(TopKeys, ScrollWithinWhatThereIs) {
  struct Case {
    std::size_t from;
    Key key;
    std::size_t to;
  };
  const Case cases[] = {
      {0, {Kind::up}, 0},         {5, {Kind::up}, 4},     {5, key("k"), 4},       {5, {Kind::down}, 6},
      {5, key("j"), 6},           {90, {Kind::down}, 90}, {50, {Kind::page_up}, 41}, {5, {Kind::page_up}, 0},
      {50, {Kind::page_down}, 59}, {85, {Kind::page_down}, 90}, {50, {Kind::home}, 0}, {50, key("g"), 0},
      {50, {Kind::end}, 90},      {50, key("G"), 90},     {5000, {Kind::up}, 89},
  };
  for (const Case& one : cases)
    EXPECT_EQ(press({.scrolled = one.from}, one.key, {100, 10}).state.scrolled, one.to)
        << one.from << " " << static_cast<int>(one.key.kind) << one.key.text;
  EXPECT_EQ(press({}, {Kind::end}, {3, 10}).state.scrolled, 0u);
  EXPECT_EQ(press({}, {Kind::page_down}, {3, 1}).state.scrolled, 1u);
}

TEST(TopKeys, FilterIsTypedKeptAndCleared) {
  TopState state = after({.scrolled = 5}, typed("/qe"));
  EXPECT_TRUE(state.typing);
  EXPECT_EQ(state.filter, "qe");
  EXPECT_EQ(state.scrolled, 0u);
  state = after(state, {key("ü"), {Kind::backspace}, {Kind::backspace}});
  EXPECT_EQ(state.filter, "q");
  state = after(state, {{Kind::down}, {Kind::enter}});
  EXPECT_FALSE(state.typing);
  EXPECT_EQ(state.filter, "q");
  EXPECT_EQ(state.scrolled, 1u);
  EXPECT_EQ(after(state, typed("/w")).filter, "qw") << "goes on where it was";
  state = after(state, {{Kind::escape}});
  EXPECT_EQ(state.filter, "");
  EXPECT_EQ(state.scrolled, 0u);
  EXPECT_EQ(after({}, typed("/abc")).filter, "abc");
  const TopState escaped = after(after({}, typed("/abc")), {{Kind::escape}});
  EXPECT_EQ(escaped, TopState{});
  EXPECT_EQ(after(after({}, typed("/abc")), {{Kind::clear}}).filter, "");
}

TEST(TopKeys, FilterHasALimit) {
  const TopState state = after({}, typed("/" + std::string(1000, 'x')));
  EXPECT_EQ(state.filter.size(), TopState::kLongestFilter);
}

TEST(TopKeys, ActionsAreTold) {
  const TopExtent extent{10, 10};
  EXPECT_EQ(press({}, key("q"), extent).action, TopAction::quit);
  EXPECT_EQ(press({}, key(" "), extent).action, TopAction::refresh);
  EXPECT_EQ(press({}, {Kind::redraw}, extent).action, TopAction::redraw);
  EXPECT_EQ(press({}, key("t"), extent).action, TopAction::refresh) << "the tree has to be asked for";
  EXPECT_EQ(press({.tree = true}, key("t"), extent).action, TopAction::none);
  EXPECT_EQ(press({.typing = true}, key("q"), extent).action, TopAction::none);
  EXPECT_TRUE(press({}, key("e"), extent).state.troubled_only);
}

TEST(TopKeys, OthersDoNothing) {
  const TopState state{.scrolled = 5};
  for (const char* other : {"x", "C", "日", "1"}) {
    const Pressed pressed = press(state, key(other), {100, 10});
    EXPECT_EQ(pressed.state, state) << other;
    EXPECT_EQ(pressed.action, TopAction::none) << other;
  }
}

TEST(TopKeys, AnyKeyLeavesTheHelp) {
  const TopState help = after({}, {key("?")});
  EXPECT_EQ(help.page, TopState::Page::help);
  EXPECT_EQ(after({}, {key("h")}), help);
  EXPECT_EQ(after(help, {key("m")}), TopState{});
  EXPECT_EQ(press(help, key("q"), {}).action, TopAction::quit);
}

TopSnapshot mixed() {
  TopSnapshot snapshot = snapshot_of({a_process("w.10"), a_process("w.2"), a_process("b", "error"),
                                      a_process("c", "initializing"), a_process("d", "terminated")});
  snapshot.processes[0].cpu_share = 0.5;
  snapshot.processes[0].memory = 10;
  snapshot.processes[0].uptime = std::chrono::seconds(1);
  snapshot.processes[1].cpu_share = 0.5;
  snapshot.processes[1].memory = 20;
  snapshot.processes[1].uptime = std::chrono::seconds(9);
  snapshot.processes[1].health = "unhealthy";
  snapshot.processes[2].restarts = 3;
  snapshot.processes[2].reason = "exit code 3";
  return snapshot;
}

TEST(TopOrder, IsByTheKeyThenByName) {
  const TopSnapshot snapshot = mixed();
  EXPECT_EQ(shown(snapshot, {.sort = SortKey::cpu}), "w.2 w.10 b c d ");
  EXPECT_EQ(shown(snapshot, {.sort = SortKey::memory}), "w.2 w.10 b c d ");
  EXPECT_EQ(shown(snapshot, {.sort = SortKey::restarts}), "b c d w.2 w.10 ");
  EXPECT_EQ(shown(snapshot, {.sort = SortKey::id}), "b c d w.2 w.10 ");
  EXPECT_EQ(shown(snapshot, {.sort = SortKey::status}), "b w.2 c w.10 d ");
  EXPECT_EQ(shown(snapshot, {.sort = SortKey::uptime}), "w.2 w.10 b c d ");
  EXPECT_EQ(shown(snapshot, {.sort = SortKey::memory, .reversed = true}), "b c d w.10 w.2 ");
  EXPECT_EQ(shown(snapshot, {.sort = SortKey::cpu, .reversed = true}), "b c d w.2 w.10 ");
}

TEST(TopFilter, LooksAtAllTexts) {
  const TopSnapshot snapshot = mixed();
  const auto filtered = [&](const char* text) { return shown(snapshot, {.sort = SortKey::id, .filter = text}); };
  EXPECT_EQ(filtered("W."), "w.2 w.10 ");
  EXPECT_EQ(filtered("CODE 3"), "b ");
  EXPECT_EQ(filtered("unhealthy"), "w.2 ");
  EXPECT_EQ(filtered("idle"), "w.2 w.10 ");
  EXPECT_EQ(filtered("root"), "b c d w.2 w.10 ");
  EXPECT_EQ(filtered("nothing"), "");
}

TEST(TopFilter, ShowsOnlyTroubleIfAsked) {
  EXPECT_EQ(shown(mixed(), {.sort = SortKey::id, .troubled_only = true}), "b c w.2 ");
}

TEST(TopTree, PutsProcessesBelowTheirSupervisors) {
  TopSnapshot snapshot = mixed();
  EXPECT_EQ(shown(snapshot, {.sort = SortKey::id, .tree = true}), "b c d w.2 w.10 ") << "the tree is not there yet";
  snapshot.supervisors = {{.id = "root"}, {.id = "empty", .depth = 1}, {.id = "deep", .depth = 2},
                          {.id = "inner", .depth = 1}};
  snapshot.processes[0].supervisor = "inner";
  snapshot.processes[1].supervisor = "gone";
  EXPECT_EQ(shown(snapshot, {.sort = SortKey::id, .tree = true}), "[root] >b >c >d >[inner] >>w.10 w.2 ");
  EXPECT_EQ(shown(snapshot, {.sort = SortKey::id, .tree = true, .filter = "w.10"}), "[root] >[inner] >>w.10 ");
  EXPECT_EQ(shown(snapshot, {.sort = SortKey::id, .tree = true, .filter = "nothing"}), "");
  snapshot.processes[3].supervisor = "deep";
  EXPECT_EQ(shown(snapshot, {.sort = SortKey::id, .tree = true, .filter = "initial"}), "[root] >[empty] >>[deep] >>>c ");
}

}  // namespace
}  // namespace tenon::cli
