// Finds a key that comes twice in one map while a value is read. Which of the two counts, every format's readers decide
// differently; so a value that has one is not passed on to another format.
//
// The keys of the maps that are open are copied here: never more octets than the value itself has.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "refuse.hpp"

namespace tenon::serializers {

class MapKeys {
 public:
  // Before each value. Memory of the last one is kept up to kKept octets.
  void start() {
    if (text_.capacity() > kKept) std::string().swap(text_);
    if (keys_.capacity() > kKept / sizeof(Key)) std::vector<Key>().swap(keys_);
    text_.clear();
    keys_.clear();
    open_.clear();
  }
  void begin_map() { open_.push_back(keys_.size()); }
  void key(std::string_view name) {
    keys_.push_back({text_.size(), name.size()});
    text_.append(name);
  }
  // Throws TENON_ERR_UNTRANSLATABLE when a key of the map came twice.
  void end_map() {
    const std::size_t first = open_.back();
    open_.pop_back();
    if (first == keys_.size()) return;
    const std::size_t text_first = keys_[first].begin;
    if (const Key* twice = find_twice(keys_.begin() + static_cast<std::ptrdiff_t>(first), keys_.end()))
      untranslatable("the key \"" + printable(view(*twice)) + "\" comes twice in one map; send it once");
    keys_.resize(first);
    text_.resize(text_first);
  }

 private:
  static constexpr std::size_t kKept = 64 * 1024;
  static constexpr std::ptrdiff_t kFew = 12;  // so few are compared in pairs
  struct Key {
    std::size_t begin, size;  // in text_
  };
  using At = std::vector<Key>::iterator;

  std::string_view view(const Key& key) const noexcept { return std::string_view(text_).substr(key.begin, key.size); }

  const Key* find_twice(At first, At last) {
    if (last - first <= kFew) {
      for (At one = first; one != last; ++one) {
        for (At other = first; other != one; ++other) {
          if (one->size == other->size && view(*one) == view(*other)) return &*one;
        }
      }
      return nullptr;
    }
    std::sort(first, last, [this](const Key& a, const Key& b) { return view(a) < view(b); });
    const At twice = std::adjacent_find(first, last, [this](const Key& a, const Key& b) { return view(a) == view(b); });
    return twice == last ? nullptr : &*twice;
  }

  std::string text_;
  std::vector<Key> keys_;           // of all open maps, one after another
  std::vector<std::size_t> open_;  // where in keys_ each open map's begin
};

}  // namespace tenon::serializers
