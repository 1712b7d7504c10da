// A terminal as a full screen with single keys, and everything as it was before at the end.
//
// The model. enter() takes the alternate screen, hides the cursor, stops long lines from wrapping and has keys come at
// once and unseen; leave() undoes it. Both happen several times when the person suspends us. The destructor leaves,
// and so does a signal that is a crash, before it ends the process. SIGINT, SIGTSTP and SIGQUIT keep their keys.
//
// A picture is written with one write, as far as the terminal takes it; the rest waits for writable(), and until then
// no other is begun: a slow terminal gets fewer pictures, and nobody waits for one that is stuck.
//
// One at a time in a process. Not thread-safe.
#pragma once

#include <memory>
#include <string>
#include <termios.h>

#include "cli/screen.hpp"
#include "common/result.hpp"
#include "common/unique_fd.hpp"

namespace tenon::cli {

class FullScreen {
 public:
  // On the terminal that `fd` is. errc::unsupported: it is none, or none that can do this.
  static Result<std::unique_ptr<FullScreen>> open(int fd);
  ~FullScreen();
  FullScreen(const FullScreen&) = delete;
  FullScreen& operator=(const FullScreen&) = delete;

  void enter();
  void leave();
  // Leaves, stops the process as SIGTSTP does, and enters again when it is continued.
  void suspend();

  // 80 by 24 if the terminal does not know; at most 1000 by 1000.
  ScreenSize size() const;
  int fd() const noexcept { return terminal_.get(); }  // readable: keys; writable: room for what is left

  struct Input {
    std::string bytes;
    bool ended = false;  // the terminal is gone
  };
  Input read();

  // Shows it. Nothing happens while writing().
  void show(Screen screen);
  bool writing() const noexcept { return !unwritten_.empty(); }
  void writable();
  // The terminal shows anything: the next picture is written whole.
  void forget() noexcept { known_ = false; }

 private:
  FullScreen(unique_fd terminal, const termios& before) : terminal_(std::move(terminal)), before_(before) {}
  void write_patiently(std::string_view bytes);

  unique_fd terminal_;
  termios before_{};
  bool entered_ = false;
  bool known_ = false;  // shown_ is what stands there
  ScreenSize drawn_for_{};
  Screen shown_;
  std::string unwritten_;
};

}  // namespace tenon::cli
