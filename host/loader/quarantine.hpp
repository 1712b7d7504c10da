// Plugin files that killed the engine: remembered by content, so that they are not touched again until they change.
//
// The model. An entry is keyed by the digest of the file's content: renaming, touching or copying the file changes
// nothing, editing it does. One crash or hang in the loader's own calls or in create is enough, because the next start
// would meet it again at once; elsewhere kToleratedCrashes crashes are forgiven, since there the event may have been at
// fault. A quarantined file is listed, never opened for loading.
//
//   unknown --crash in load, describe, create; any hang--> quarantined
//   unknown --crash elsewhere--> suspected --once more than kToleratedCrashes--> quarantined
//   any --release, or the content changes--> unknown
//   quarantined --tolerate--> suspected
//
// The store is bytes to whoever keeps it between engines (serialize, restore); it holds at most kMaxEntries, of which
// the least recently reported one gives way. [loop]
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.hpp"
#include "loader/content_digest.hpp"

namespace tenon::loader {

// What the dead engine's trace said, as CallTrace::enter was told.
struct CrashReport {
  std::string file;       // a trace name
  std::string component;  // "transport/nats", or empty
  std::string call;
  std::string how;  // for people: "SIGABRT", "a hang of 10 s"
  bool hung = false;
  bool certain = true;  // false: one of several suspects, so one report alone never condemns it
};

class Quarantine {
 public:
  static constexpr std::size_t kMaxEntries = 256;
  static constexpr std::uint32_t kToleratedCrashes = 2;

  struct Entry {
    Digest content{};
    std::string path;  // where it lay when it was last reported
    std::string component, call, how;
    std::uint32_t crashes = 0;
    bool quarantined = false;
    // "killed the engine in load (SIGABRT); it is not loaded again until …"
    std::string reason() const;
  };

  // Takes a report; true if the file is quarantined now. False, with nothing stored, for a report that names no
  // content.
  bool report(const CrashReport& crash);
  // Null unless content is quarantined. Valid until the next change.
  const Entry* find(const Digest& content) const noexcept;
  // Takes what lies at the path into use again although it is quarantined, because the host cannot do without it; its
  // crashes stay counted, so the next one quarantines it again. False if nothing of the path is quarantined.
  bool tolerate(const std::string& path);
  // By hand: forgets the content, its crashes included. False if it was unknown.
  bool release(const Digest& content);
  // Suspects and quarantined ones, the most recently reported last.
  const std::vector<Entry>& entries() const noexcept { return entries_; }

  std::string serialize() const;
  // Replaces the store. errc::bad_data for bytes that serialize did not make; the store is then empty.
  Status restore(std::string_view bytes);

 private:
  std::vector<Entry> entries_;
};

}  // namespace tenon::loader
