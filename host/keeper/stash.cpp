#include "keeper/stash.hpp"

namespace tenon::keeper {

Status Stash::put(StashPut entry) {
  const auto old = entries_.find(entry.key);
  const bool known = old != entries_.end();
  const std::size_t bytes = bytes_ - (known ? old->second.bytes.size() : 0) + entry.bytes.size() +
                            (known ? 0 : entry.key.size());
  const std::size_t descriptors =
      descriptors_ - (known ? old->second.descriptors.size() : 0) + entry.descriptors.size();
  if (entry.key.empty() || entry.key.size() > kMaxStashKeyBytes) {
    return Error(errc::invalid_argument, "a stash key has 1 to 1024 bytes");
  }
  if (entry.descriptors.size() > kMaxStashDescriptors) {
    return Error(errc::exhausted, "a stash entry holds at most 16 descriptors");
  }
  if (bytes > kMaxBytes || descriptors > kMaxDescriptors || (!known && entries_.size() >= kMaxEntries)) {
    return Error(errc::exhausted, "the keeper's stash is full; delete entries that are no longer needed");
  }
  bytes_ = bytes;
  descriptors_ = descriptors;
  entries_[std::move(entry.key)] = {std::move(entry.bytes), std::move(entry.descriptors)};
  return {};
}

void Stash::erase(const std::string& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  bytes_ -= key.size() + found->second.bytes.size();
  descriptors_ -= found->second.descriptors.size();
  entries_.erase(found);
}

const Stash::Value* Stash::find(const std::string& key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : &found->second;
}

std::vector<std::string> Stash::keys() const {
  std::vector<std::string> keys;
  keys.reserve(entries_.size());
  for (const auto& [key, value] : entries_) keys.push_back(key);
  return keys;
}

}  // namespace tenon::keeper
