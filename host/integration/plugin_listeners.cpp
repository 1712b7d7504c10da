#include "integration/plugin_listeners.hpp"

#include <sys/stat.h>

#include "common/logging.hpp"

namespace tenon::integration {

namespace {

bool is_other_file(const std::string& path) {
  struct stat found {};
  return ::lstat(path.c_str(), &found) == 0 && !S_ISSOCK(found.st_mode);
}

// The keeper advises in terms of its own control socket; what goes wrong is the same, what to do is not.
Error for_plugins(const keeper::ListenFailed& failure, const std::string& path) {
  const auto code = static_cast<errc>(failure.code);
  if (code == errc::already_exists && is_other_file(path))
    return Error(code, path + " exists and is no socket; remove it, or use another path", fault::caller);
  if (code == errc::already_exists)
    return Error(code, "another host listens at " + path + " already; stop it, or use another path", fault::remote,
                 true);
  const std::string what = failure.message.substr(0, failure.message.find("; "));
  return Error(code, what + "; use another path", fault::host, code == errc::exhausted);
}

}  // namespace

keeper::ListenSpec PluginListeners::spec_of(const std::string& path) {
  keeper::ListenSpec spec;
  spec.name = std::string(kPrefix) + path;
  spec.address = path;
  return spec;
}

Result<std::uint64_t> PluginListeners::open(const std::string& path, Done done) {
  if (holders_.contains(path))
    return Error(errc::already_exists, "an instance of this host listens at " + path + " already", fault::caller, true);
  if (listeners_.size() >= kMaxListeners)
    return Error(errc::exhausted, "48 listening sockets of plugins are open already; use fewer transports",
                 fault::host, true);
  keeper::ListenSpec spec = spec_of(path);
  const std::string name = spec.name;
  TENON_TRY(keeper_.keep_listening(std::move(spec)));
  unclaimed_.erase(name);
  const std::uint64_t number = next_++;
  listeners_[number] = {path, std::move(done), {}};
  holders_[path] = number;
  asked_[name].push_back(number);
  return number;
}

void PluginListeners::release(std::uint64_t listener) {
  auto gone = listeners_.extract(listener);
  if (gone.empty()) return;
  const std::string& path = gone.mapped().path;
  holders_.erase(path);
  gone.mapped().socket.reset();
  // Of a request under way too: the keeper takes the two in this order.
  stop_listening(std::string(kPrefix) + path);
}

void PluginListeners::stop_listening(const std::string& name) {
  if (Status told = keeper_.stop_listening(name); !told.ok())
    log::warn("listeners", "the keeper goes on listening for nobody; restart the host to end that",
              {{"listener", name}, {"why", told.error().message}});
}

void PluginListeners::adopt(const keeper::ListenSpec& held) {
  // One of other settings (an older engine's) would be refused to whoever asks for its path.
  if (held == spec_of(held.address)) unclaimed_.insert(held.name);
  else stop_listening(held.name);
}

void PluginListeners::drop_unclaimed() {
  for (const std::string& name : std::exchange(unclaimed_, {})) {
    log::warn("listeners", "no plugin wants this socket any more; its clients are hung up on", {{"listener", name}});
    stop_listening(name);
  }
}

std::uint64_t PluginListeners::take_asked(const std::string& name) {
  const auto at = asked_.find(name);
  if (at == asked_.end()) return 0;
  const std::uint64_t number = at->second.front();
  at->second.pop_front();
  if (at->second.empty()) asked_.erase(at);
  return listeners_.contains(number) ? number : 0;
}

void PluginListeners::on_listening(keeper::Listening listening) {
  const std::uint64_t number = take_asked(listening.name);
  if (number == 0) return;  // withdrawn: the socket closes here, and the keeper has been told to close its own
  Listener& listener = listeners_[number];
  listener.socket = std::move(listening.socket);
  const int fd = listener.socket.get();
  std::exchange(listener.done, nullptr)(fd);
}

void PluginListeners::on_listen_failed(const keeper::ListenFailed& failure) {
  const std::uint64_t number = take_asked(failure.name);
  if (number == 0) return;
  const auto refused = listeners_.extract(number);
  holders_.erase(refused.mapped().path);
  refused.mapped().done(for_plugins(failure, refused.mapped().path));
}

}  // namespace tenon::integration
