// Finds, checks, loads and watches plugins: the thin doing part around PluginRegistry's decisions.
//
// The model. start() opens the watches, looks at every file once and loads what wins; from then on each report of a
// watch looks at the one file that it names. To look at a file is: open, check that nobody else can write it, read its
// note, negotiate; a scan passes over files whose stamp is known. To load one is: copy it into the private directory
// while hashing it, compare with the quarantine, read the note of the copy (which is what will run), map it. Whatever
// goes wrong ends as a listing with a reason and a call of the observers, and disturbs no other file.
//
//   looked at --> offered --> copied --> mapped --> in use
//       |                        |         |
//       +--> rejected            |         +--> refused
//                                +--> quarantined, or the same content as before (only touched)
//
// A directory that goes away while it is watched keeps its plugins in use; it is looked for every kReturnPeriod and
// read again when it is back.
//
// A loader that takes over from that of an earlier engine begins with the copies of what that one had loaded, and
// only then looks at the directories: what lies there unchanged is passed over, what is gone stays in use, a
// directory that cannot be used is waited for as one that went away.
//
// Everything happens on the loop thread, inside start(), rescan() and the watches' callbacks.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.hpp"
#include "event/file_watch.hpp"
#include "event/loop.hpp"
#include "loader/call_trace.hpp"
#include "loader/component_table.hpp"
#include "loader/kept_plugin.hpp"
#include "loader/plugin_registry.hpp"
#include "loader/private_copy.hpp"
#include "loader/quarantine.hpp"

namespace tenon::loader {

struct LoaderOptions {
  std::vector<std::string> directories;  // absolute; earlier ones win among equal versions
  bool watch = true;
  std::vector<KindDescription> kinds;  // what this host knows
  // Told of each file that was loaded, for a successor; the descriptor is lent for the call. May be empty.
  std::function<void(const PluginPlace& place, const FileStamp& stamp, int copy)> keep;
  // Told of each path given to `keep` whose file is gone and which is out of use: a successor must not bring it back.
  // May be empty.
  std::function<void(const std::string& path)> forget;
  std::vector<std::string> copy_bases = PrivateCopies::default_bases();
};

class PluginLoader {
 public:
  static constexpr std::chrono::seconds kReturnPeriod{1};

  // Quarantine, trace and loop must outlive the loader.
  PluginLoader(LoaderOptions options, event::Loop& loop, Quarantine& quarantine, CallTrace& trace);
  ~PluginLoader();

  // Fails, with nothing loaded, if a directory is missing or insecure, cannot be watched, or if no private directory
  // can be made. What is wrong with single files is no failure. Once.
  Status start();
  // Instead of start(), after an earlier engine. Fails only if no private directory can be made; what else is wrong
  // is logged and tried again. `former` is what the earlier loader gave to `keep`, for each path the last,
  // without what it gave to `forget`.
  Status take_over(std::vector<KeptPlugin> former);

  // Looks at all directories again, as after SIGHUP.
  void rescan();
  // Looks at a known path again even if it did not change, for instance after its release from quarantine.
  void look_again(const std::string& path);
  // Takes a version out of use that fails where it is used, and puts its predecessor back. False if it is not in use.
  bool roll_back(const PluginLibrary& library, std::string reason);

  // Add observers before start() to hear of everything.
  PluginRegistry& registry() noexcept { return registry_; }
  const PluginRegistry& registry() const noexcept { return registry_; }

 private:
  struct Directory {
    std::string path;
    std::uint32_t position = 0;
    std::unique_ptr<event::FileWatch> watch;  // null: not watched, or gone
    event::Handle return_timer;               // active while gone
  };

  Status open_copies();
  Status use(Directory& directory);
  void restore(std::vector<KeptPlugin> former);
  Result<PluginFile> open(const PluginRegistry::Wanted& wanted) const;
  Status open_watch(Directory& directory);
  void on_change(Directory& directory, event::FileChange change, std::string_view name);
  void await(Directory& directory);
  void scan(const Directory& directory);
  enum class Known : bool { pass_over, look_anyway };  // a file whose stamp is known
  void look_at(const PluginPlace& place, Known known);
  void load_wanted();
  void forget_unused();
  void load(const PluginRegistry::Wanted& wanted);

  LoaderOptions options_;
  event::Loop& loop_;
  Quarantine& quarantine_;
  CallTrace& trace_;
  PluginRegistry registry_;
  std::optional<PrivateCopies> copies_;  // from start() or take_over() on
  std::vector<KeptPlugin> former_;       // while they are restored
  std::set<std::string> kept_;           // paths that a successor would load from what was given to `keep`
  std::vector<std::unique_ptr<Directory>> directories_;
};

}  // namespace tenon::loader
