#include "control/access.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include "common/unique_fd.hpp"

namespace tenon::control {
namespace {

TEST(Access, OnlyTheWholeTokenOpens) {
  EXPECT_TRUE(token_accepted("Bearer s3cret", "s3cret"));
  EXPECT_TRUE(token_accepted("bearer   s3cret ", "s3cret"));
  for (const char* wrong : {"", "Bearer", "Bearer ", "Bearer s3cre", "Bearer s3crets", "Bearer S3cret", "Basic s3cret",
                            "s3cret", "Bearer s3crets3cret"}) {
    EXPECT_FALSE(token_accepted(wrong, "s3cret")) << wrong;
  }
}

TEST(Access, EmptyTokenLetsNobodyIn) {
  EXPECT_FALSE(token_accepted("Bearer ", ""));
  EXPECT_FALSE(token_accepted("Bearer x", ""));
}

TEST(Access, KernelNamesTheUserOfAUnixPeer) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const unique_fd one(ends[0]), other(ends[1]);
  EXPECT_EQ(peer_user(one.get()), ::geteuid());
  EXPECT_EQ(peer_user(-1), std::nullopt);
}

}  // namespace
}  // namespace tenon::control
