// What the engine asks the keeper to hold for the engine after it: bytes and descriptors under a key, unread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/result.hpp"
#include "common/unique_fd.hpp"
#include "keeper/messages.hpp"

namespace tenon::keeper {

class Stash {
 public:
  static constexpr std::size_t kMaxEntries = 262'144;
  static constexpr std::size_t kMaxBytes = 256 * 1024 * 1024;  // keys and values together
  static constexpr std::size_t kMaxDescriptors = 131'072;

  struct Value {
    std::string bytes;
    std::vector<unique_fd> descriptors;
  };

  // Replaces what the key held. errc::exhausted over a limit: what was there still stands.
  Status put(StashPut entry);
  void erase(const std::string& key);
  const Value* find(const std::string& key) const;  // null: nothing
  std::vector<std::string> keys() const;

 private:
  std::map<std::string, Value> entries_;
  std::size_t bytes_ = 0, descriptors_ = 0;
};

}  // namespace tenon::keeper
