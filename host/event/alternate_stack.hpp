// A stack of its own for a thread's signal handlers, so that a thread that overflowed its stack can still say that it
// died.
//
// Lives and dies on its thread. A thread that has an alternate stack already (a sanitizer's) keeps that.
#pragma once

#include <cstddef>

namespace tenon::event {

class AlternateStack {
 public:
  AlternateStack() noexcept;
  ~AlternateStack();
  AlternateStack(const AlternateStack&) = delete;
  AlternateStack& operator=(const AlternateStack&) = delete;

 private:
  static constexpr std::size_t kBytes = 64 * 1024;  // above any SIGSTKSZ, AVX-512 state included
  void* memory_ = nullptr;                          // null: none was needed, or the kernel gave none
};

}  // namespace tenon::event
