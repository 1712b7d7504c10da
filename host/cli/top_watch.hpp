// The live picture of `tenon top`: keys, signals, the terminal's size and the host's answers, each when it comes.
//
// The model. A poll begins every `interval`, but so that polling takes at most a tenth of the time: a host that needs
// long for its answers is asked less often. A poll that fails leaves the last picture with a line that says why, and is
// tried again until it works or the person has had enough. Nothing here waits for anything but all of it together.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/full_screen.hpp"
#include "cli/host_poll.hpp"
#include "cli/interruption.hpp"
#include "cli/key_reader.hpp"
#include "cli/top_model.hpp"
#include "cli/top_snapshot.hpp"

namespace tenon::cli {

class TopWatch {
 public:
  struct Settings {
    std::string socket;
    Duration interval;
    Style style;
  };
  // The screen must outlive it.
  TopWatch(FullScreen& screen, Settings settings, const TopState& state, TopSnapshot first);

  // Returns when the person has had enough or the terminal is gone. The screen is then as it was before.
  void run();

 private:
  void wait();
  MonotonicTime next_event(MonotonicTime now) const;
  void obey(int signal_number);
  void read_keys(MonotonicTime now);
  void press_all(const std::vector<Key>& keys);
  void refresh(MonotonicTime now);
  void poll_ended(Result<HostPoll::Bodies> answer, MonotonicTime now);
  void draw(MonotonicTime now);
  std::string trouble(MonotonicTime now) const;

  FullScreen& screen_;
  Settings settings_;
  TopState state_;
  TopSnapshot snapshot_;
  TopSnapshot base_;      // that rates are counted from
  std::string failure_;   // of the last poll; empty: it worked
  HostPoll poll_;
  KeyReader keys_;
  Interruption signals_;
  MonotonicTime next_poll_{};
  MonotonicTime last_key_{};
  Duration last_took_{};  // the poll before
  bool again_ = false;    // another poll as soon as this one has ended
  bool changed_ = true;   // since it was drawn
  bool done_ = false;
};

}  // namespace tenon::cli
