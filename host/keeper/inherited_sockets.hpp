// Listening sockets that whoever started the host passed to it, by the protocol of sd_listen_fds(3): systemd's socket
// units, or another host. They take the place of sockets that the host would otherwise bind itself.
#pragma once

#include <string>
#include <vector>

#include "common/unique_fd.hpp"
#include "keeper/listen_spec.hpp"

namespace tenon::keeper {

class InheritedSockets {
 public:
  InheritedSockets() = default;
  // Those that LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES name, if they are meant for this process; the variables are
  // removed either way. They are the keeper's from now on, for as long as it lives.
  static InheritedSockets take();

  // A duplicate of the one that does for `spec`: that of its name where it wants one that was passed, else one of its
  // kind that is bound to its address. Invalid: there is none.
  unique_fd find(const ListenSpec& spec) const;
  bool empty() const noexcept { return sockets_.empty(); }
  // "web 127.0.0.1:80, 4 [::]:443", for people.
  std::string describe() const;

 private:
  struct Inherited {
    std::string name;  // of LISTEN_FDNAMES; empty: it has none
    unique_fd socket;
  };
  std::vector<Inherited> sockets_;
};

}  // namespace tenon::keeper
