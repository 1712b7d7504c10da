#include "callback_targets.hpp"

#include <mutex>
#include <shared_mutex>
#include <unordered_map>

namespace tenon::nats {

namespace {

struct Entry {
  std::weak_ptr<Connection> connection;
  std::uint64_t subscription;
};

struct Table {
  std::shared_mutex mutex;
  std::unordered_map<std::uintptr_t, Entry> entries;
  std::uintptr_t next = 1;
};

// Never destroyed: threads of nats.c may look into it while the process ends.
Table& table() {
  static Table* const instance = new Table;
  return *instance;
}

}  // namespace

void* add_callback_target(const std::weak_ptr<Connection>& connection, std::uint64_t subscription) {
  const std::lock_guard lock(table().mutex);
  const std::uintptr_t number = table().next++;
  table().entries.emplace(number, Entry{connection, subscription});
  return reinterpret_cast<void*>(number);  // a number, never dereferenced
}

CallbackTarget find_callback_target(void* closure) {
  const std::shared_lock lock(table().mutex);
  const auto found = table().entries.find(reinterpret_cast<std::uintptr_t>(closure));
  if (found == table().entries.end()) return {};
  return {found->second.connection.lock(), found->second.subscription};
}

void remove_callback_target(void* closure) {
  const std::lock_guard lock(table().mutex);
  table().entries.erase(reinterpret_cast<std::uintptr_t>(closure));
}

}  // namespace tenon::nats
