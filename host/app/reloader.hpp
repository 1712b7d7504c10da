// `tenon reload`, `tenon diff` and `tenon scale`: reads a configuration, compares it with the one in force, and hands
// what differs to the host.
//
// The model. Reading and checking happen on a worker thread, because they read the disk; comparing and applying happen
// in one turn of the loop. A configuration with problems, or one that changes what only a restart of the host can
// change, changes nothing. What is accepted is with the keeper before the first process hears of it, so that the
// successor of an engine that dies in the middle finishes the change. One change is read at a time.
//
// All [loop].
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "app/config_diff.hpp"
#include "app/config_loader.hpp"
#include "app/host.hpp"
#include "app/kept_bytes.hpp"
#include "common/result.hpp"

namespace tenon::app {

class Reloader {
 public:
  // A JSON object: "changes" as write_changes has them and, but for diff, "results": an array of {"id", "ok", "error"?,
  // "status"} of what was stopped or started.
  using Done = std::function<void(Result<std::string>)>;

  // `host` outlives this. `sources` and `scales`: what the config in force was made of. `socket`: the control socket
  // that the command line asked for, instead of the config's; may be empty.
  Reloader(Host& host, std::string config_path, std::string socket, KeptBytes sources, Scales scales);
  ~Reloader();

  // Reads the config file again. `wait`: done when everything that changes has stopped or started, else when the
  // change has been accepted. errc::invalid_argument: every problem of the file, a line each; errc::wrong_state: another
  // change is being read, it names what still ends, it needs a restart of the host, or more descriptors than there are.
  // In all cases nothing was changed.
  void reload(bool wait, Done done);
  // As by a signal: nobody waits, the log tells. While another change is being read it comes after that.
  void reload_soon();
  // What a reload of this file, if it were the config file, would do. Empty: the config file itself.
  void diff(std::string path, Done done);
  // Other replicas for a child that has them, 0 … kMaxReplicas. Stands until the file says another number than it does
  // now. errc::not_found for an unknown child, errc::wrong_state for one without replicas.
  void scale(std::string id, std::uint32_t replicas, bool wait, Done done);

 private:
  struct Reading;
  enum class Source : bool { disk, kept };
  void read(Source source, std::string path, Scales scales, std::function<void(Reading&)> then, Done done);
  std::vector<ConfigChange> changes_of(const Reading& reading) const;
  void judge_by_what_runs(std::vector<ConfigChange>& changes, const runtime::SupervisorConfig& fresh) const;
  void apply(Reading& reading, bool wait, Done done);
  Status accept(Reading& reading);
  void settings_changed();
  Status scalable(const Reading& reading, const std::string& id) const;

  Host& host_;
  std::string config_path_, socket_;
  KeptBytes sources_;  // of the config in force
  Scales scales_;
  bool reading_ = false, again_ = false;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace tenon::app
