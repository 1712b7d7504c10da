#include "keeper/descriptor_slots.hpp"

#include <algorithm>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tenon::keeper {

DescriptorSlots& DescriptorSlots::of_this_process() {
  static DescriptorSlots slots;
  return slots;
}

// A range of nothing changes nothing, and tells whether the call is known and allowed; it never was without the flag.
DescriptorSlots::DescriptorSlots() : sharing_helps_(::syscall(SYS_close_range, ~0u, ~0u, 0u) == 0) {
  numbers_.fill(-1);
}

bool DescriptorSlots::reserve() {
  if (end_ != 0) return true;
  if (null_ < 0) null_ = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null_ < 0) return false;
  for (int& number : numbers_) {
    if (number < 0) number = ::fcntl(null_, F_DUPFD_CLOEXEC, kFirst);
    if (number < 0) return false;
  }
  end_ = *std::max_element(numbers_.begin(), numbers_.end()) + 1;
  return true;
}

bool DescriptorSlots::fill(std::size_t slot, int source) {
  filled_[slot] = ::dup3(source, numbers_[slot], O_CLOEXEC) >= 0;
  return filled_[slot];
}

void DescriptorSlots::empty() {
  for (std::size_t slot = 0; slot < kCount; ++slot) {
    if (filled_[slot]) ::dup3(null_, numbers_[slot], O_CLOEXEC);
    filled_[slot] = false;
  }
}

}  // namespace tenon::keeper
