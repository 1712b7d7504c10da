#include "loader/plugin_registry.hpp"

#include <algorithm>
#include <cstdlib>

namespace tenon::loader {
namespace {

std::string named(const PluginPlace& place, const std::optional<PluginIdentity>& identity) {
  return identity ? place.path + " (" + identity->version.text() + ")" : place.path;
}

// Calls `visit(kind, name)` for what an entry can offer: as loaded, or, before that, as its note says.
template <class Entry, class Visit>
void for_each_component(const Entry& entry, Visit visit) {
  if (entry.library) {
    for (const LoadedComponent& part : entry.library->components()) visit(part.kind, part.name);
  } else if (entry.identity) {
    for (const ComponentIdentity& part : entry.identity->components) visit(part.kind, part.name);
  }
}

const LoadedComponent* find_part(const PluginLibrary& library, const std::string& kind, const std::string& name) {
  const auto& parts = library.components();
  const auto found = std::find_if(parts.begin(), parts.end(),
                                  [&](const LoadedComponent& part) { return part.kind == kind && part.name == name; });
  return found == parts.end() ? nullptr : &*found;
}

}  // namespace

void PluginRegistry::add_observer(PluginObserver* observer) { observers_.push_back(observer); }
void PluginRegistry::remove_observer(PluginObserver* observer) noexcept { std::erase(observers_, observer); }

void PluginRegistry::tell(void (PluginObserver::*what)(const PluginListing&), const PluginListing& listing) {
  for (PluginObserver* observer : std::vector(observers_)) (observer->*what)(listing);
}

// --- who wins ---

bool PluginRegistry::precedes(const Entry& a, const Entry& b, const PluginLibrary* in_use) noexcept {
  if (a.gone != b.gone) return b.gone;
  // Nobody put a file there that would give a reason for a change.
  if (a.gone && in_use != nullptr && a.library != b.library) {
    if (a.library.get() == in_use) return true;
    if (b.library.get() == in_use) return false;
  }
  if (const auto order = a.identity->version <=> b.identity->version; order != 0) return order > 0;
  return a.place < b.place;
}

const PluginRegistry::Entry* PluginRegistry::successor(const Entry& entry) const noexcept {
  const Entry* found = nullptr;
  for (const auto& other : entries_) {
    if (other->id > entry.id && usable(*other) && other->place.path == entry.place.path) found = other.get();
  }
  return found;
}

const PluginRegistry::Entry* PluginRegistry::newest_at(const std::string& path) const noexcept {
  const auto found =
      std::find_if(entries_.rbegin(), entries_.rend(), [&](const auto& entry) { return entry->place.path == path; });
  return found == entries_.rend() ? nullptr : found->get();
}

const PluginLibrary* PluginRegistry::library_in_use(const Key& key) const noexcept {
  const auto found = components_.find(key);
  return found != components_.end() && found->second->current_ ? found->second->current_->library.get() : nullptr;
}

PluginRegistry::Winners PluginRegistry::winners() const {
  Winners won;
  for (const auto& entry : entries_) {
    if (!usable(*entry) || successor(*entry) != nullptr) continue;
    for_each_component(*entry, [&](const std::string& kind, const std::string& name) {
      const Entry*& best = won[{kind, name}];
      if (best == nullptr || precedes(*entry, *best, library_in_use({kind, name}))) best = entry.get();
    });
  }
  return won;
}

// --- what the scanner finds ---

bool PluginRegistry::knows(const std::string& path, const FileStamp& stamp) const noexcept {
  const Entry* newest = newest_at(path);
  return newest != nullptr && !newest->gone && newest->stamp == stamp;
}

PluginRegistry::Entry& PluginRegistry::add(PluginPlace place, std::optional<FileStamp> stamp) {
  std::erase_if(entries_,
                [&](const auto& entry) { return entry->place.path == place.path && entry->phase != Phase::mapped; });
  auto entry = std::make_unique<Entry>();
  entry->id = next_id_++;
  entry->place = std::move(place);
  entry->stamp = stamp;
  entries_.push_back(std::move(entry));
  return *entries_.back();
}

void PluginRegistry::offer(PluginPlace place, const FileStamp& stamp, PluginIdentity identity) {
  add(std::move(place), stamp).identity = std::move(identity);
}

void PluginRegistry::reject(PluginPlace place, std::optional<FileStamp> stamp, std::string reason,
                            std::optional<PluginIdentity> identity) {
  const Entry* newest = newest_at(place.path);
  const bool told = newest != nullptr && newest->phase == Phase::rejected && newest->reason == reason;
  Entry& entry = add(std::move(place), stamp);
  entry.phase = Phase::rejected;
  entry.reason = std::move(reason);
  entry.identity = std::move(identity);
  if (!told) tell(&PluginObserver::on_rejected, listing_of(entry, {}));
}

void PluginRegistry::remove(const std::string& path) {
  std::erase_if(entries_,
                [&](const auto& entry) { return entry->place.path == path && entry->phase != Phase::mapped; });
  for (const auto& entry : entries_) entry->gone = entry->gone || entry->place.path == path;
}

void PluginRegistry::keep_content(EntryId id) {
  const Entry touched = entry_of(id);
  std::erase_if(entries_, [&](const auto& entry) { return entry->id == id; });
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    if ((*entry)->place.path != touched.place.path || (*entry)->phase != Phase::mapped) continue;
    (*entry)->stamp = touched.stamp;
    (*entry)->place = touched.place;
    (*entry)->gone = false;
    return;
  }
}

// --- loading ---

PluginRegistry::Entry& PluginRegistry::entry_of(EntryId id) {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const auto& entry) { return entry->id == id; });
  if (found == entries_.end()) std::abort();  // an id that next_wanted() did not give out
  return **found;
}

std::optional<PluginRegistry::Wanted> PluginRegistry::next_wanted() const {
  for (const auto& [key, entry] : winners()) {
    if (entry->phase == Phase::offered) return Wanted{entry->id, entry->place.path, *entry->stamp, *entry->identity};
  }
  return std::nullopt;
}

const PluginLibrary* PluginRegistry::mapped_at(const std::string& path) const noexcept {
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    if ((*entry)->place.path == path && (*entry)->phase == Phase::mapped) return (*entry)->library.get();
  }
  return nullptr;
}

void PluginRegistry::loaded(EntryId id, std::shared_ptr<const PluginLibrary> library) {
  Entry& entry = entry_of(id);
  entry.phase = Phase::mapped;
  entry.library = std::move(library);
}

void PluginRegistry::end(EntryId id, Phase phase, std::string reason) {
  Entry& entry = entry_of(id);
  entry.phase = phase;
  entry.reason = std::move(reason);
  const PluginListing listing = listing_of(entry, {});
  tell(phase == Phase::quarantined ? &PluginObserver::on_quarantined : &PluginObserver::on_rejected, listing);
}

void PluginRegistry::refused(EntryId id, std::string reason) { end(id, Phase::rejected, std::move(reason)); }
void PluginRegistry::quarantined(EntryId id, std::string reason) { end(id, Phase::quarantined, std::move(reason)); }

std::vector<PluginRegistry::Change> PluginRegistry::apply(const Winners& won) {
  std::vector<Change> changes;
  for (const auto& [key, entry] : won) {
    auto& component = components_[key];
    if (!component) component = std::make_unique<Component>(key.first, key.second);
    const LoadedComponent* part = find_part(*entry->library, key.first, key.second);
    if (component->current_ && component->current_->part == part) continue;
    changes.push_back(
        {component.get(), std::exchange(component->current_, std::make_shared<const ComponentVersion>(
                                                                 ComponentVersion{entry->library, part}))});
  }
  for (const auto& [key, component] : components_) {
    if (component->current_ && !won.contains(key)) {
      changes.push_back({component.get(), std::exchange(component->current_, nullptr)});
    }
  }
  return changes;
}

void PluginRegistry::settle() {
  if (next_wanted()) std::abort();  // a component would have no table
  const Winners won = winners();
  const std::vector<Change> changes = apply(won);
  std::vector<PluginListing> begun, ended;
  for (const auto& entry : entries_) {
    const bool active =
        std::any_of(won.begin(), won.end(), [&](const auto& winner) { return winner.second == entry.get(); });
    if (active && !entry->active) begun.push_back(listing_of(*entry, won));
    if (!active && entry->active && entry->phase == Phase::mapped) ended.push_back(listing_of(*entry, won));
    entry->active = active;
  }
  forget_history();
  for (const PluginListing& listing : begun) tell(&PluginObserver::on_loaded, listing);
  for (const Change& change : changes) {
    for (PluginObserver* observer : std::vector(observers_))
      observer->on_component_changed(*change.component, change.before);
  }
  for (const PluginListing& listing : ended) tell(&PluginObserver::on_retired, listing);
}

// The libraries themselves stay mapped; only what the host knows about them goes.
void PluginRegistry::forget_history() {
  std::size_t kept = 0;
  std::vector<EntryId> forgotten;
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    const bool history =
        (*entry)->phase == Phase::mapped && !(*entry)->active && ((*entry)->gone || successor(**entry) != nullptr);
    if (history && ++kept > kMaxHistory) forgotten.push_back((*entry)->id);
  }
  std::erase_if(entries_, [&](const auto& entry) {
    return std::find(forgotten.begin(), forgotten.end(), entry->id) != forgotten.end();
  });
}

// --- use ---

const Component* PluginRegistry::find(std::string_view kind, std::string_view name) const noexcept {
  const auto found = components_.find({std::string(kind), std::string(name)});
  return found == components_.end() ? nullptr : found->second.get();
}

std::string PluginRegistry::why_missing(std::string_view kind, std::string_view name) const {
  const std::string id = component_id(kind, name);
  const std::string nobody = "no plugin offers " + id;
  for (const PluginListing& plugin : list()) {
    if (std::find(plugin.components.begin(), plugin.components.end(), id) == plugin.components.end()) continue;
    if (plugin.state == PluginState::quarantined)
      return nobody + " at present: " + plugin.file + " is quarantined (" + plugin.reason +
             "); install a mended version";
    if (plugin.state == PluginState::rejected)
      return nobody + " at present: " + plugin.file + " was rejected (" + plugin.reason + ")";
  }
  return nobody + "; put its file into a plugin directory (`tenon plugin list` shows what is loaded)";
}

std::vector<const Component*> PluginRegistry::components() const {
  std::vector<const Component*> all;
  for (const auto& [key, component] : components_) all.push_back(component.get());
  return all;
}

bool PluginRegistry::roll_back(const PluginLibrary& library, std::string reason) {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const auto& entry) {
    return entry->active && entry->phase == Phase::mapped && entry->library.get() == &library;
  });
  if (found == entries_.end()) return false;
  (*found)->active = false;
  end((*found)->id, Phase::rejected, std::move(reason));
  return true;
}

// --- listing ---

std::string PluginRegistry::reason_in_use(const Entry& entry, const Winners& won) const {
  if (entry.gone)
    return "its file was removed; it stays loaded until another file offers the same or the host restarts";
  const Entry* newest = newest_at(entry.place.path);
  if (newest != &entry && !usable(*newest)) return "the file has changed since, but its new content was refused";
  std::string reason;
  for_each_component(entry, [&](const std::string& kind, const std::string& name) {
    const Entry* winner = won.at({kind, name});
    if (winner == &entry) return;
    reason += (reason.empty() ? "" : "; ") + component_id(kind, name) + " is shadowed by " +
              named(winner->place, winner->identity);
  });
  if (entry.library) {
    for (const std::string& id : entry.library->unknown_components()) {
      reason += (reason.empty() ? "" : "; ") + id + " is of a kind that this host does not know";
    }
  }
  return reason;
}

std::string PluginRegistry::reason_out_of_use(const Entry& entry, const Winners& won) const {
  if (const Entry* next = successor(entry)) {
    return "the file's new content" + (next->identity ? ", version " + next->identity->version.text() + "," : "") +
           " is used by new instances; those made before keep this one until they end, and it stays mapped until the "
           "host restarts";
  }
  std::string by;
  for_each_component(entry, [&](const std::string& kind, const std::string& name) {
    const auto winner = won.find({kind, name});
    if (winner == won.end() || !by.empty()) return;
    by = named(winner->second->place, winner->second->identity);
  });
  return "shadowed by " + by + (entry.gone ? "; its own file was removed" : "");
}

PluginListing PluginRegistry::listing_of(const Entry& entry, const Winners& won) const {
  PluginListing listing;
  listing.file = entry.place.path;
  if (entry.identity) {
    listing.name = entry.identity->name;
    listing.version = entry.identity->version.text();
    listing.components = entry.identity->component_ids();
  }
  if (!usable(entry)) {
    listing.state = entry.phase == Phase::quarantined ? PluginState::quarantined : PluginState::rejected;
    listing.reason = entry.reason;
    return listing;
  }
  const bool in_use = std::any_of(won.begin(), won.end(), [&](const auto& winner) { return winner.second == &entry; });
  if (in_use) {
    listing.state = PluginState::loaded;
    listing.reason = reason_in_use(entry, won);
  } else {
    listing.state = entry.gone || successor(entry) != nullptr ? PluginState::retired : PluginState::shadowed;
    listing.reason = reason_out_of_use(entry, won);
  }
  return listing;
}

std::vector<PluginListing> PluginRegistry::list() const {
  std::vector<const Entry*> order;
  for (const auto& entry : entries_) order.push_back(entry.get());
  std::sort(order.begin(), order.end(),
            [](const Entry* a, const Entry* b) { return a->place != b->place ? a->place < b->place : a->id > b->id; });
  const Winners won = winners();
  std::vector<PluginListing> listings;
  for (const Entry* entry : order) listings.push_back(listing_of(*entry, won));
  return listings;
}

std::vector<PluginPlace> PluginRegistry::places() const {
  std::vector<PluginPlace> places;
  for (const auto& entry : entries_) {
    if (!entry->gone && newest_at(entry->place.path) == entry.get()) places.push_back(entry->place);
  }
  return places;
}

std::set<std::string> PluginRegistry::needed_paths() const {
  std::set<std::string> paths;
  for (const auto& entry : entries_) {
    if (!entry->gone || entry->active) paths.insert(entry->place.path);
  }
  return paths;
}

}  // namespace tenon::loader
