// What a process is kept from: capabilities, the host's /tmp, the disks' attention.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <linux/ioprio.h>
#include <unistd.h>

#include "unit/keeper/spawned_output.hpp"

namespace tenon::keeper {
namespace {

using testing::HasSubstr;

class Confinement : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can take from a process what it has";
  }
  std::string output_of(const std::string& script) { return test::spawned_output(spec, script); }

  SpawnSpec spec;
};

TEST_F(Confinement, BoundsCapabilities) {
  spec.capabilities = std::uint64_t{1} << 10 | 1;  // CAP_NET_BIND_SERVICE, CAP_CHOWN
  EXPECT_THAT(output_of("grep -E 'CapBnd|CapEff' /proc/self/status"),
              HasSubstr("CapEff:\t0000000000000401\nCapBnd:\t0000000000000401\n"));
  spec.capabilities = 0;
  spec.uid = 65534;  // to become another user needs a capability that a bound does not take from who has it
  EXPECT_THAT(output_of("id -u; grep CapBnd /proc/self/status"), HasSubstr("65534\nCapBnd:\t0000000000000000\n"));
}

TEST_F(Confinement, GivesATmpThatNobodyElseSees) {
  char mine[] = "/tmp/tenon_confinement_XXXXXX";
  ASSERT_NE(::mkdtemp(mine), nullptr);
  spec.private_tmp = true;
  const std::string script = std::string("[ -e ") + mine + " ] || echo hidden; touch /tmp/of-the-child && "
                             "ls /tmp /var/tmp; stat -c %a /tmp";
  EXPECT_EQ(output_of(script), "hidden\n/tmp:\nof-the-child\n\n/var/tmp:\n1777\n");
  EXPECT_NE(::access("/tmp/of-the-child", F_OK), 0);
  EXPECT_EQ(output_of("ls /tmp"), "") << "the next one has its own";
  spec.directory = mine;
  EXPECT_THAT(output_of("true"), HasSubstr("(cwd) is hidden from the process by private_tmp"));
  spec.directory.clear();
  spec.program = std::string(mine) + "/program";
  std::ofstream(spec.program) << "#!/bin/sh\n";
  EXPECT_THAT(output_of(""), HasSubstr("private_tmp hides from the process"));
  ::unlink(spec.program.c_str());
  ::rmdir(mine);
}

TEST_F(Confinement, SetsTheClassForTheDisks) {
  spec.io_priority = IOPRIO_CLASS_IDLE << IOPRIO_CLASS_SHIFT;
  EXPECT_EQ(output_of("ionice -p $$"), "idle\n");
  spec.io_priority = IOPRIO_CLASS_BE << IOPRIO_CLASS_SHIFT | 6;
  EXPECT_EQ(output_of("ionice -p $$"), "best-effort: prio 6\n");
}

}  // namespace
}  // namespace tenon::keeper
