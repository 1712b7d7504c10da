// Memory of an instance for what cannot be a view of the input: unescaped text, numbers as text, base64.
//
// Blocks never move, so what was taken stays where it is until clear(). Ordinary events need none of it, so an instance
// allocates nothing before the first one that does.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

namespace tenon::serializers {

class Scratch {
 public:
  // `size` octets, valid until clear().
  char* take(std::size_t size) {
    if (size > left_) grow(size);
    char* taken = next_;
    next_ += size;
    left_ -= size;
    return taken;
  }

  // Gives the octets at the end of the last take back.
  void give_back(std::size_t size) noexcept {
    next_ -= size;
    left_ += size;
  }

  // Forgets everything; keeps one block of the usual size, so that one odd event does not pin its memory.
  void clear() noexcept {
    if (blocks_.empty()) return;
    if (blocks_.size() > 1 || first_size_ > kBlock) {
      blocks_.clear();
      next_ = nullptr;
      left_ = 0;
      return;
    }
    next_ = blocks_.front().get();
    left_ = first_size_;
  }

 private:
  static constexpr std::size_t kBlock = 1024;

  void grow(std::size_t size) {
    const std::size_t block = std::max(size, kBlock);
    blocks_.push_back(std::unique_ptr<char[]>(new char[block]));
    if (blocks_.size() == 1) first_size_ = block;
    next_ = blocks_.back().get();
    left_ = block;
  }

  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t first_size_ = 0;
  char* next_ = nullptr;
  std::size_t left_ = 0;
};

}  // namespace tenon::serializers
