// Which plugin offers which component: decisions only, no file is touched here.
//
// The model. The registry holds an entry per content of a file: what the scanner found at a path. Entries move like
// this:
//
//   (found, note accepted) offered --wins a component--> to be loaded --ok--> mapped
//                              \                              \--refused--> rejected or quarantined
//   (found, not acceptable) -> rejected
//
// An entry is eligible while it is offered or mapped, and no newer eligible entry of the same path stands in front of
// it. For each component the eligible entry with the highest version wins; of equal versions the one in the earlier
// directory, then the one whose name sorts first. So who wins depends on the files that are there, not on the order in
// which they came. An entry whose file was removed comes after all others: it stays in use, until the host restarts,
// only where nothing else offers the component; of several such, the one in use goes on. What wins nothing is never
// loaded.
//
// A new content of a file takes over only once it is mapped; if it is refused, the older content goes on, and the
// listing shows both. A mapped entry that wins nothing any more is told to the observer as retired: no new instance
// is made of it, those that there are keep it until they end. The library stays mapped, so when its successor is
// taken back (roll_back), it wins again at once.
//
// All [loop]. A path has at most one entry that is not mapped, its newest; of the mapped ones that are out of use the
// latest kMaxHistory are listed. Whoever scans keeps to kMaxFiles paths.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "loader/component.hpp"
#include "loader/plugin_file.hpp"
#include "loader/plugin_listing.hpp"

namespace tenon::loader {

// Told after the registry has changed. An observer may read the registry; to change it, it posts to the loop.
class PluginObserver {
 public:
  virtual ~PluginObserver() = default;
  virtual void on_loaded(const PluginListing&) {}
  virtual void on_rejected(const PluginListing&) {}
  virtual void on_retired(const PluginListing&) {}
  virtual void on_quarantined(const PluginListing&) {}
  // The component has another current version, or none; `before` is what it had, null if it is new.
  virtual void on_component_changed(const Component&, const std::shared_ptr<const ComponentVersion>& /*before*/) {}
};

// Where a file was found. Earlier directories win among equal versions.
struct PluginPlace {
  std::uint32_t directory = 0;  // position in the list of configured directories
  std::string path;
  friend auto operator<=>(const PluginPlace&, const PluginPlace&) = default;
};

class PluginRegistry {
 public:
  static constexpr std::size_t kMaxFiles = 1024;
  static constexpr std::size_t kMaxHistory = 64;
  using EntryId = std::uint64_t;

  // Not owned; must outlive the registry or be removed.
  void add_observer(PluginObserver* observer);
  void remove_observer(PluginObserver* observer) noexcept;

  // --- what the scanner finds; nothing takes effect before settle() ---

  // True if the newest entry of the path has this stamp: nothing to do.
  bool knows(const std::string& path, const FileStamp& stamp) const noexcept;
  // A file whose note is acceptable.
  void offer(PluginPlace place, const FileStamp& stamp, PluginIdentity identity);
  // A file that is not; told to the observers. `stamp` empty: it could not even be opened.
  void reject(PluginPlace place, std::optional<FileStamp> stamp, std::string reason,
              std::optional<PluginIdentity> identity);
  // The file is gone. What is mapped stays; everything else of the path is forgotten.
  void remove(const std::string& path);
  // The entry's file has the content that the path's newest mapped entry has: it was only touched. They become one.
  void keep_content(EntryId entry);

  // --- loading ---

  struct Wanted {
    EntryId entry = 0;
    std::string path;
    FileStamp stamp;
    PluginIdentity identity;
  };
  // The next entry that wins a component and is not mapped; empty when there is none. Each must be answered with one of
  // loaded, refused, quarantined or keep_content before the next is asked for.
  std::optional<Wanted> next_wanted() const;
  // The content that is mapped for the path at present, if any.
  const PluginLibrary* mapped_at(const std::string& path) const noexcept;
  void loaded(EntryId entry, std::shared_ptr<const PluginLibrary> library);
  void refused(EntryId entry, std::string reason);
  void quarantined(EntryId entry, std::string reason);
  // Gives every component its winner and tells the observers what changed. Requires that nothing is wanted.
  void settle();

  // --- use ---

  // The handle for a component; null if no file has ever offered it.
  const Component* find(std::string_view kind, std::string_view name) const noexcept;
  std::vector<const Component*> components() const;
  // Why find() gives nothing that can be used, and what to do: a sentence.
  std::string why_missing(std::string_view kind, std::string_view name) const;
  // Takes a mapped version out of use because it fails where it is used; its predecessor wins at the next settle().
  // False if the library is not in use.
  bool roll_back(const PluginLibrary& library, std::string reason);

  // In the order of directories, then paths; of one path the newest content first.
  std::vector<PluginListing> list() const;
  // The places of all files that are not gone.
  std::vector<PluginPlace> places() const;
  // The paths whose file is there or whose content won something at the last settle().
  std::set<std::string> needed_paths() const;

 private:
  enum class Phase : std::uint8_t { offered, mapped, rejected, quarantined };
  struct Entry {
    EntryId id = 0;
    PluginPlace place;
    std::optional<FileStamp> stamp;
    std::optional<PluginIdentity> identity;
    std::shared_ptr<const PluginLibrary> library;  // while mapped
    Phase phase = Phase::offered;
    std::string reason;
    bool gone = false;    // its file was removed
    bool active = false;  // won at least one component at the last settle()
  };
  using Key = std::pair<std::string, std::string>;  // kind, name
  using Winners = std::map<Key, const Entry*>;
  struct Change {
    const Component* component;
    std::shared_ptr<const ComponentVersion> before;
  };

  static bool usable(const Entry& entry) noexcept { return entry.phase <= Phase::mapped; }
  static bool precedes(const Entry& a, const Entry& b, const PluginLibrary* in_use) noexcept;
  const Entry* successor(const Entry& entry) const noexcept;
  const Entry* newest_at(const std::string& path) const noexcept;
  const PluginLibrary* library_in_use(const Key& key) const noexcept;
  Winners winners() const;
  Entry& entry_of(EntryId id);
  Entry& add(PluginPlace place, std::optional<FileStamp> stamp);
  void end(EntryId id, Phase phase, std::string reason);
  void forget_history();
  std::vector<Change> apply(const Winners& won);
  PluginListing listing_of(const Entry& entry, const Winners& won) const;
  std::string reason_in_use(const Entry& entry, const Winners& won) const;
  std::string reason_out_of_use(const Entry& entry, const Winners& won) const;
  void tell(void (PluginObserver::*what)(const PluginListing&), const PluginListing& listing);

  std::vector<std::unique_ptr<Entry>> entries_;  // in the order in which they were found
  std::map<Key, std::unique_ptr<Component>> components_;
  std::vector<PluginObserver*> observers_;
  EntryId next_id_ = 1;
};

}  // namespace tenon::loader
