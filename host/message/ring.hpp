// A first-in-first-out queue in one growing block: no allocation while its length stays within what it once was.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace tenon::message {

template <class T>
class Ring {
 public:
  bool empty() const noexcept { return count_ == 0; }
  std::size_t size() const noexcept { return count_; }
  T& front() noexcept { return slots_[begin_]; }
  const T& front() const noexcept { return slots_[begin_]; }
  T& operator[](std::size_t i) noexcept { return slots_[(begin_ + i) & (slots_.size() - 1)]; }
  void push_back(T value) {
    if (count_ == slots_.size()) grow();
    slots_[(begin_ + count_++) & (slots_.size() - 1)] = std::move(value);
  }
  void pop_front() noexcept {
    begin_ = (begin_ + 1) & (slots_.size() - 1);
    --count_;
  }
  void clear() noexcept { begin_ = count_ = 0; }

 private:
  void grow() {
    std::vector<T> bigger(slots_.empty() ? 8 : slots_.size() * 2);
    for (std::size_t i = 0; i < count_; ++i) bigger[i] = std::move((*this)[i]);
    slots_.swap(bigger);
    begin_ = 0;
  }
  std::vector<T> slots_;  // a power of two, or empty
  std::size_t begin_ = 0;
  std::size_t count_ = 0;
};

}  // namespace tenon::message
