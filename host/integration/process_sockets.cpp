#include "integration/process_sockets.hpp"

namespace tenon::integration {

namespace {

keeper::ListenFamily family_of(const runtime::SocketConfig& socket) {
  const bool stream = socket.kind == runtime::SocketKind::stream;
  if (!socket.path.empty()) return stream ? keeper::ListenFamily::unix_stream : keeper::ListenFamily::unix_datagram;
  return stream ? keeper::ListenFamily::tcp : keeper::ListenFamily::udp;
}

}  // namespace

// Ids and names have no '/'.
std::string ProcessSockets::name_of(const runtime::ProcessConfig& config, const runtime::SocketConfig& socket) {
  return std::string(kPrefix) + config.base_id + "/" + socket.name;
}

std::vector<keeper::PassedSocket> ProcessSockets::give(const runtime::ProcessConfig& config) {
  std::vector<keeper::PassedSocket> given;
  for (const runtime::SocketConfig& socket : config.sockets) {
    keeper::ListenSpec spec;
    spec.name = name_of(config, socket);
    spec.family = family_of(socket);
    spec.address = socket.path.empty() ? socket.address : socket.path;
    spec.port = socket.port;
    spec.mode = socket.mode;
    spec.backlog = socket.backlog;
    spec.blocking = true;
    if (socket.inherit) spec.inherit = socket.name;
    spec.uid = config.uid;
    spec.gid = config.gid;
    spec.setting = "place in sockets of " + config.base_id;
    open_.insert(spec.name);
    given.push_back({socket.name, std::move(spec), is_alone(config)});
  }
  look_soon();  // what the config before it named besides
  return given;
}

bool ProcessSockets::is_alone(const runtime::ProcessConfig& config) const {
  if (config.id == config.base_id) return true;
  bool alone = true;
  manager_->for_each([&](const runtime::ProcessHandle& process) {
    if (process.config->base_id == config.base_id && process.id() != config.id && process.pid) alone = false;
  });
  return alone;
}

// Of one that goes on as it was: what it was given is not known any more.
void ProcessSockets::keep_all_of(const runtime::ProcessConfig& config, std::set<std::string>& unwanted) {
  const std::string its = std::string(kPrefix) + config.base_id + "/";
  std::erase_if(unwanted, [&](const std::string& name) { return name.starts_with(its); });
}

void ProcessSockets::adopt(std::string listener) {
  open_.insert(std::move(listener));
  look_soon();
}

void ProcessSockets::look_soon() {
  if (open_.empty() || look_.active()) return;
  look_ = loop_.after(Duration(0), [this] { close_unwanted(); });
}

void ProcessSockets::close_unwanted() {
  look_ = {};
  std::set<std::string> unwanted = open_;
  manager_->for_each([&](const runtime::ProcessHandle& process) {
    if (runtime::is_ended(process.phase)) return;
    if (manager_->outdated(process.id()) && process.pid) keep_all_of(*process.config, unwanted);
    for (const runtime::SocketConfig& socket : process.config->sockets) unwanted.erase(name_of(*process.config, socket));
  });
  for (const std::string& name : unwanted) {
    open_.erase(name);
    close_(name);
  }
}

}  // namespace tenon::integration
