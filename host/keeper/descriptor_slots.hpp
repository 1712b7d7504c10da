// A few low descriptor numbers of this process, where a child finds what it is given.
//
// To clone the descriptor table of a keeper that holds thousands of pipes, and to have execve close the copy, costs more
// than all the rest of a spawn. So a child shares the table (CLONE_FILES) until it takes a copy of the lower end alone
// (CLOSE_RANGE_UNSHARE), and what it is given is put there first. The numbers are taken at the first use, when few
// descriptors are open, and never given back: an empty slot holds /dev/null.
#pragma once

#include <array>
#include <cstddef>

namespace tenon::keeper {

class DescriptorSlots {
 public:
  static constexpr std::size_t kCount = 21;  // as many as a child may be given, and its executable
  static constexpr int kFirst = 24;          // the lowest number: above all that a child gets by number

  // Those of this process; its only thread alone may use them.
  static DescriptorSlots& of_this_process();

  // Before anything else. False with errno: no descriptor is free; may be tried again.
  [[nodiscard]] bool reserve();
  // False with errno. What was filled stays so.
  [[nodiscard]] bool fill(std::size_t slot, int source);
  // All of them: what a child was given must not stay open here.
  void empty();

  int number(std::size_t slot) const { return numbers_[slot]; }
  // Above every slot.
  int end() const { return end_; }
  // Whether the kernel copies only part of a table (Linux 5.9; a container may forbid it).
  bool sharing_helps() const { return sharing_helps_; }

 private:
  DescriptorSlots();

  int null_ = -1;  // −1: none could be reserved so far
  int end_ = 0;
  std::array<int, kCount> numbers_;
  std::array<bool, kCount> filled_{};
  bool sharing_helps_;
};

}  // namespace tenon::keeper
