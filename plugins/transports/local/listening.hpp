// How a host becomes the one that listens at the path.
//
// The model. idle → asked → idle, with a socket or with why not. A host that keeps listening sockets (host.h, `listen`)
// is asked for one: its clients then queue through a restart of the engine, whose next instance gets the same socket.
// From a host that cannot, the plugin takes PATH.lock and binds the socket itself. Either way one lock file decides, so
// that hosts of both sorts meet.
//
// Loop thread only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <tenon/sdk/listener.hpp>

#include "unix_socket.hpp"

namespace tenon::local {

class Listening {
 public:
  // Exactly one of the two. A retryable TENON_ERR_ALREADY_EXISTS: another host listens, or is about to.
  using Done = std::function<void(std::unique_ptr<ListenSocket> socket, const sdk::Error* why)>;

  Listening(sdk::Host host, std::string path) : host_(host), path_(std::move(path)) {}

  // `done` once, perhaps from within, unless cancelled. Ends what was under way.
  void begin(Done done);
  void cancel() { asked_.release(); }
  bool under_way() const noexcept { return asked_.active(); }

 private:
  void answered(int fd, const sdk::Error* why);

  sdk::Host host_;
  std::string path_;
  sdk::Listener asked_;
  Done done_;
};

}  // namespace tenon::local
