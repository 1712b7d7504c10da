// Where the control groups of this process are: which hierarchies are mounted, and which directory of each it is in.
//
// Linux has one hierarchy of version 2, which kills and freezes whole groups and may hold controllers (memory, pids, cpu),
// and, on older or mixed systems, hierarchies of version 1 with a controller each. Source: cgroups(7), proc(5) on
// /proc/PID/mountinfo and /proc/PID/cgroup.
#pragma once

#include <string>
#include <string_view>

namespace tenon::keeper {

enum class CgroupController : unsigned char { memory, processes, cpu };
inline constexpr std::size_t kCgroupControllers = 3;
// As the kernel calls it: "memory", "pids", "cpu".
std::string_view to_string(CgroupController controller) noexcept;

// Absolute directories, each that of this process's own group; empty: there is none, or it is not visible from here.
struct CgroupLayout {
  std::string unified;
  std::string legacy[kCgroupControllers];  // of version 1, by CgroupController
  bool operator==(const CgroupLayout&) const = default;
};

// From the texts of /proc/self/mountinfo and /proc/self/cgroup. What cannot be understood is left out.
CgroupLayout parse_cgroup_layout(std::string_view mountinfo, std::string_view cgroup);

}  // namespace tenon::keeper
