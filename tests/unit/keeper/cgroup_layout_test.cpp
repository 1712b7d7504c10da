#include "keeper/cgroup_layout.hpp"

#include <gtest/gtest.h>

namespace tenon::keeper {
namespace {

constexpr auto kMemory = static_cast<std::size_t>(CgroupController::memory);
constexpr auto kProcesses = static_cast<std::size_t>(CgroupController::processes);
constexpr auto kCpu = static_cast<std::size_t>(CgroupController::cpu);

TEST(CgroupLayout, OfASystemWithVersion2Alone) {
  const CgroupLayout layout = parse_cgroup_layout(
      "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n", "0::/system.slice/tenon.service\n");
  EXPECT_EQ(layout.unified, "/sys/fs/cgroup/system.slice/tenon.service");
  EXPECT_EQ(layout.legacy[kMemory], "");
}

TEST(CgroupLayout, OfASystemWithBoth) {
  const CgroupLayout layout = parse_cgroup_layout(
      "34 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
      "35 31 0:33 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
      "39 31 0:36 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
      "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
      "9:name=systemd:/\n8:pids:/\n4:memory:/api/x\n1:cpuacct,cpu:/\n0::/\n");
  EXPECT_EQ(layout.unified, "/sys/fs/cgroup/unified");
  EXPECT_EQ(layout.legacy[kMemory], "/sys/fs/cgroup/memory/api/x");
  EXPECT_EQ(layout.legacy[kProcesses], "/sys/fs/cgroup/pids");
  EXPECT_EQ(layout.legacy[kCpu], "/sys/fs/cgroup/cpu");
}

TEST(CgroupLayout, SeesOnlyWhatIsMounted) {
  const char* mount = "29 23 0:26 /docker/a /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
  EXPECT_EQ(parse_cgroup_layout(mount, "0::/docker/a\n").unified, "/sys/fs/cgroup");
  EXPECT_EQ(parse_cgroup_layout(mount, "0::/docker/a/b\n").unified, "/sys/fs/cgroup/b");
  EXPECT_EQ(parse_cgroup_layout(mount, "0::/docker/ab\n").unified, "") << "another group";
  EXPECT_EQ(parse_cgroup_layout(mount, "0::/\n").unified, "");
}

TEST(CgroupLayout, UndoesTheKernelsEscapes) {
  EXPECT_EQ(parse_cgroup_layout("29 23 0:26 / /with\\040space rw - cgroup2 cgroup2 rw\n", "0::/a b\n").unified,
            "/with space/a b");
}

TEST(CgroupLayout, LeavesOutWhatItDoesNotUnderstand) {
  for (const char* text : {"", "\n\n", "garbage", "1 2 3 - cgroup2", " - ", "29 23 0:26 / /x rw - ext4 /dev/x rw"})
    EXPECT_EQ(parse_cgroup_layout(text, "0::/\n:\n::\nx"), CgroupLayout{}) << text;
}

}  // namespace
}  // namespace tenon::keeper
