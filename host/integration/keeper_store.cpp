#include "integration/keeper_store.hpp"

#include <fcntl.h>

#include "common/logging.hpp"

namespace tenon::integration {

void KeeperStore::put(const std::string& key, std::string bytes, int fd) {
  const Status sent = link_.put(key, bytes, fd);
  if (sent.ok()) {
    owed_.erase(key);
    return;
  }
  Value value{false, std::move(bytes), {}};
  if (fd >= 0) {
    value.descriptor.reset(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    if (!value.descriptor.valid()) {
      log::error("engine", "out of descriptors: a value is lost if the engine ends; raise the limit on open files",
                 {{"key", key}});
      return;
    }
  }
  owe(key, std::move(value), sent.error());
}

void KeeperStore::erase(const std::string& key) {
  const Status sent = link_.erase(key);
  if (sent.ok()) owed_.erase(key);
  else owe(key, Value{true, {}, {}}, sent.error());
}

Status KeeperStore::send(const std::string& key, const Value& value) {
  return value.erased ? link_.erase(key) : link_.put(key, value.bytes, value.descriptor.get());
}

void KeeperStore::owe(const std::string& key, Value value, const Error& why) {
  if (why.code == errc::wrong_state) return;  // the link is lost, and this engine with it
  if (owed_.empty()) {
    log::warn("engine", "the keeper does not take a value yet; it is sent again", {{"key", key}, {"why", why.message}});
    timer_ = loop_.after(kRetry, [this] { retry(); });
  }
  owed_[key] = std::move(value);
}

void KeeperStore::retry() {
  for (auto at = owed_.begin(); at != owed_.end();) {
    if (!send(at->first, at->second).ok()) break;  // the rest has no better chance
    at = owed_.erase(at);
  }
  if (!owed_.empty()) timer_ = loop_.after(kRetry, [this] { retry(); });
}

}  // namespace tenon::integration
