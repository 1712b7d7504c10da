#include "cli/top_model.hpp"

#include <algorithm>
#include <compare>
#include <map>
#include <utility>

#include "cli/natural_order.hpp"

namespace tenon::cli {

namespace {

constexpr std::pair<SortKey, std::string_view> kSortKeys[] = {
    {SortKey::cpu, "cpu"}, {SortKey::memory, "memory"}, {SortKey::restarts, "restarts"},
    {SortKey::id, "id"},   {SortKey::status, "status"}, {SortKey::uptime, "uptime"}};

// Its key on the keyboard is its first letter, in lower case: R reverses.
std::optional<SortKey> sort_key_of(char letter) noexcept {
  for (const auto& [key, name] : kSortKeys)
    if (name[0] == letter) return key;
  return std::nullopt;
}

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool contains(std::string_view text, std::string_view part) noexcept {
  return std::search(text.begin(), text.end(), part.begin(), part.end(),
                     [](char a, char b) { return lower(a) == lower(b); }) != text.end();
}

bool is_shown(const TopProcess& process, const TopState& state) noexcept {
  if (state.troubled_only && !process.troubled()) return false;
  if (state.filter.empty()) return true;
  for (const std::string* text :
       {&process.id, &process.status, &process.health, &process.reason, &process.supervisor})
    if (contains(*text, state.filter)) return true;
  return false;
}

// The worse, the greater.
int gravity(const TopProcess& process) noexcept {
  constexpr std::string_view kFromTheBest[] = {"terminated", "idle", "busy", "paused", "stopping", "initializing",
                                               "error"};
  const auto* found = std::find(std::begin(kFromTheBest), std::end(kFromTheBest), process.status);
  int rank = static_cast<int>(found - std::begin(kFromTheBest)) * 4;
  if (process.parked) rank += 1;
  if (process.health == "degraded") rank += 2;
  if (process.health == "unhealthy") rank += 3;
  // A process that does not do its work counts more than one that is on its way.
  return process.troubled() && process.status != "initializing" ? rank + 100 : rank;
}

std::partial_ordering compare(const TopProcess& a, const TopProcess& b, SortKey key) noexcept {
  switch (key) {
    // The greater first.
    case SortKey::cpu: return b.cpu_share.value_or(-1) <=> a.cpu_share.value_or(-1);
    case SortKey::memory: return b.memory <=> a.memory;
    case SortKey::restarts: return b.restarts <=> a.restarts;
    case SortKey::status: return gravity(b) <=> gravity(a);
    case SortKey::uptime: return b.uptime.value_or(Duration(-1)) <=> a.uptime.value_or(Duration(-1));
    case SortKey::id: break;
  }
  if (natural_less(a.id, b.id)) return std::partial_ordering::less;
  return natural_less(b.id, a.id) ? std::partial_ordering::greater : std::partial_ordering::equivalent;
}

struct Before {
  const TopState& state;
  bool operator()(const TopProcess* a, const TopProcess* b) const noexcept {
    const auto order = compare(*a, *b, state.sort);
    if (order != 0) return state.reversed ? order > 0 : order < 0;
    return natural_less(a->id, b->id);  // so that equals do not dance
  }
};

void remove_last_character(std::string& text) {
  while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0) == 0x80) text.pop_back();
  if (!text.empty()) text.pop_back();
}

void type(TopState& state, const Key& key) {
  const std::string before = state.filter;
  switch (key.kind) {
    case Key::Kind::character:
      if (state.filter.size() + key.text.size() <= TopState::kLongestFilter) state.filter += key.text;
      break;
    case Key::Kind::backspace: remove_last_character(state.filter); break;
    case Key::Kind::clear: state.filter.clear(); break;
    case Key::Kind::escape: state.filter.clear(), state.typing = false; break;
    case Key::Kind::enter: state.typing = false; break;
    default: break;
  }
  if (state.filter != before) state.scrolled = 0;
}

bool scroll(TopState& state, const Key& key, const TopExtent& extent) {
  const std::size_t first = first_row(state, extent);
  const std::size_t page = std::max<std::size_t>(extent.room, 2) - 1;  // one row stays in sight
  const std::string& text = key.text;
  if (key.kind == Key::Kind::up || text == "k") state.scrolled = first - std::min<std::size_t>(first, 1);
  else if (key.kind == Key::Kind::down || text == "j") state.scrolled = first + 1;
  else if (key.kind == Key::Kind::page_up) state.scrolled = first - std::min(first, page);
  else if (key.kind == Key::Kind::page_down) state.scrolled = first + page;
  else if (key.kind == Key::Kind::home || text == "g") state.scrolled = 0;
  else if (key.kind == Key::Kind::end || text == "G") state.scrolled = extent.rows;
  else return false;
  state.scrolled = first_row(state, extent);
  return true;
}

// A letter that chooses what is shown.
TopAction command(TopState& state, char letter) {
  const TopState before = state;
  switch (letter) {
    case 'q': return TopAction::quit;
    case ' ': return TopAction::refresh;
    case '/': state.typing = true; return TopAction::none;
    case 'h':
    case '?': state.page = TopState::Page::help; return TopAction::none;
    case 'e': state.troubled_only = !state.troubled_only; break;
    case 't': state.tree = !state.tree; break;
    case 'R': state.reversed = !state.reversed; break;
    default:
      if (const auto key = sort_key_of(letter)) state.sort = *key, state.reversed = false;
  }
  if (state == before) return TopAction::none;
  state.scrolled = 0;
  return state.tree && !before.tree ? TopAction::refresh : TopAction::none;  // the tree has to be asked for
}

// By supervisor, in order.
using Members = std::map<std::string_view, std::vector<const TopProcess*>>;

std::vector<TopRow> arrange_tree(const TopSnapshot& snapshot, Members members) {
  const auto take = [&members](const std::string& id, std::size_t depth, std::vector<TopRow>& rows) {
    const auto found = members.find(id);
    if (found == members.end()) return;
    for (const TopProcess* process : found->second) rows.push_back({.process = process, .depth = depth});
    members.erase(found);
  };
  std::vector<TopRow> rows;
  // Takes back the supervisors at the end that are not above the next one: they have nothing to show.
  const auto leave = [&rows](std::size_t depth) {
    while (!rows.empty() && rows.back().supervisor != nullptr && rows.back().depth >= depth) rows.pop_back();
  };
  for (const TopSupervisor& supervisor : snapshot.supervisors) {
    leave(supervisor.depth);
    rows.push_back({.supervisor = &supervisor, .depth = supervisor.depth});
    take(supervisor.id, supervisor.depth + 1, rows);
  }
  leave(0);
  // Of supervisors that came or went between two answers.
  while (!members.empty()) take(std::string(members.begin()->first), 0, rows);
  return rows;
}

}  // namespace

std::string_view to_string(SortKey key) noexcept {
  for (const auto& [known, name] : kSortKeys)
    if (known == key) return name;
  return "";
}

std::optional<SortKey> parse_sort_key(std::string_view name) noexcept {
  for (const auto& [key, known] : kSortKeys)
    if (known == name) return key;
  return std::nullopt;
}

std::size_t first_row(const TopState& state, const TopExtent& extent) noexcept {
  return std::min(state.scrolled, extent.rows - std::min(extent.rows, extent.room));
}

Pressed press(TopState state, const Key& key, const TopExtent& extent) {
  if (key.kind == Key::Kind::redraw) return {std::move(state), TopAction::redraw};
  if (state.page == TopState::Page::help) {
    state.page = TopState::Page::processes;
    const bool quit = key.text == "q";
    return {std::move(state), quit ? TopAction::quit : TopAction::none};
  }
  if (state.typing) {
    if (key.kind != Key::Kind::character && scroll(state, key, extent)) return {std::move(state)};
    type(state, key);
    return {std::move(state)};
  }
  if (scroll(state, key, extent)) return {std::move(state)};
  if (key.kind == Key::Kind::escape) {
    if (!std::exchange(state.filter, {}).empty()) state.scrolled = 0;
    return {std::move(state)};
  }
  const TopAction action =
      key.kind == Key::Kind::character && key.text.size() == 1 ? command(state, key.text[0]) : TopAction::none;
  return {std::move(state), action};
}

std::vector<TopRow> arrange(const TopSnapshot& snapshot, const TopState& state) {
  std::vector<const TopProcess*> shown;
  for (const TopProcess& process : snapshot.processes)
    if (is_shown(process, state)) shown.push_back(&process);
  std::sort(shown.begin(), shown.end(), Before{state});
  if (state.tree && !snapshot.supervisors.empty()) {
    Members members;
    for (const TopProcess* process : shown) members[process->supervisor].push_back(process);
    return arrange_tree(snapshot, std::move(members));
  }
  std::vector<TopRow> rows;
  for (const TopProcess* process : shown) rows.push_back({.process = process});
  return rows;
}

}  // namespace tenon::cli
