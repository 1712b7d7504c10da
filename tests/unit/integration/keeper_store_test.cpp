#include "integration/keeper_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "event/fake_loop.hpp"

namespace tenon::integration {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class KeeperStoreTest : public ::testing::Test {
 protected:
  Status take(std::string what) {
    if (refusal) return Error(*refusal, "full");
    sent.push_back(std::move(what));
    return {};
  }

  event::FakeLoop loop;
  std::optional<errc> refusal;
  std::vector<std::string> sent;
  KeeperStore store{loop,
                    {[this](const std::string& key, const std::string& bytes, int fd) {
                       return take(key + "=" + bytes + (fd >= 0 ? "+fd" : ""));
                     },
                     [this](const std::string& key) { return take("-" + key); }}};
};

TEST_F(KeeperStoreTest, SendsAtOnceWhatTheLinkTakes) {
  store.put("a", "1");
  store.erase("a");
  EXPECT_THAT(sent, ElementsAre("a=1", "-a"));
  EXPECT_EQ(store.owed(), 0u);
}

TEST_F(KeeperStoreTest, SendsWhatTheLinkRefusedOnceItTakesItAgain) {
  refusal = errc::exhausted;
  store.put("a", "1");
  store.erase("b");
  loop.advance(KeeperStore::kRetry);
  EXPECT_THAT(sent, IsEmpty());
  refusal.reset();
  loop.advance(KeeperStore::kRetry);
  EXPECT_THAT(sent, ElementsAre("a=1", "-b"));
  EXPECT_EQ(store.owed(), 0u);
}

TEST_F(KeeperStoreTest, NeverSendsAnOldValueAfterANewerOne) {
  refusal = errc::exhausted;
  store.put("a", "1");
  store.put("b", "1");
  store.put("b", "2");
  refusal.reset();
  store.put("a", "2");
  loop.advance(KeeperStore::kRetry);
  EXPECT_THAT(sent, ElementsAre("a=2", "b=2"));
}

TEST_F(KeeperStoreTest, KeepsADescriptorUntilItIsSentWhateverItsOwnerDoes) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  refusal = errc::exhausted;
  store.put("channel", "", ends[0]);
  ::close(ends[0]);
  ::close(ends[1]);
  refusal.reset();
  loop.advance(KeeperStore::kRetry);
  EXPECT_THAT(sent, ElementsAre("channel=+fd"));
}

TEST_F(KeeperStoreTest, OwesNothingOverALinkThatIsLost) {
  refusal = errc::wrong_state;
  store.put("a", "1");
  EXPECT_EQ(store.owed(), 0u);
}

}  // namespace
}  // namespace tenon::integration
