#include "event/alternate_stack.hpp"

#include <csignal>

#include <sys/mman.h>

namespace tenon::event {

AlternateStack::AlternateStack() noexcept {
  stack_t present{};
  if (::sigaltstack(nullptr, &present) == 0 && (present.ss_flags & SS_DISABLE) == 0) return;
  void* memory = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED) return;
  stack_t ours{};
  ours.ss_sp = memory;
  ours.ss_size = kBytes;
  if (::sigaltstack(&ours, nullptr) != 0) {
    ::munmap(memory, kBytes);
    return;
  }
  memory_ = memory;
}

AlternateStack::~AlternateStack() {
  if (memory_ == nullptr) return;
  stack_t none{};
  none.ss_flags = SS_DISABLE;
  ::sigaltstack(&none, nullptr);
  ::munmap(memory_, kBytes);
}

}  // namespace tenon::event
