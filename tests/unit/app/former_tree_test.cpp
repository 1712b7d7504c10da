#include "app/former_tree.hpp"

#include <gtest/gtest.h>

namespace tenon::app {
namespace {

keeper::AdoptedChild child(const std::string& id, std::uint64_t generation, std::int32_t pid) {
  keeper::AdoptedChild made;
  made.key = {id, generation};
  made.pid = pid;
  return made;
}

TEST(FormerTree, JoinsLabelsAndChildren) {
  keeper::Adoption adoption;
  adoption.hello.engine_lost_ns = 77;
  runtime::ProcessLabel label;
  label.id = "a";
  label.generation = 3;
  label.extra = "topic group\n";
  adoption.stash["label/a"].bytes = label.encode();
  adoption.stash["channel/a"].bytes = "not a label";
  adoption.children.push_back(child("a", 3, 100));
  const runtime::TreeAdoption former = former_tree(adoption);
  EXPECT_EQ(former.engine_lost, MonotonicTime{Duration(77)});
  ASSERT_EQ(former.processes.size(), 1u);
  EXPECT_EQ(former.processes.at("a").label, label);
  EXPECT_EQ(former.processes.at("a").child->pid, 100);
  EXPECT_EQ(kept_subscriptions(former, "a"), "topic group\n");
  EXPECT_EQ(kept_subscriptions(former, "b"), "");
}

TEST(FormerTree, TakesTheNewerOfTwoChildrenWhicheverComesFirst) {
  for (const bool newer_first : {true, false}) {
    keeper::Adoption adoption;
    adoption.children.push_back(child("a", newer_first ? 4 : 3, newer_first ? 104 : 103));
    adoption.children.push_back(child("a", newer_first ? 3 : 4, newer_first ? 103 : 104));
    EXPECT_EQ(former_tree(adoption).processes.at("a").child->pid, 104);
  }
}

TEST(FormerTree, TreatsAnUnreadableLabelAsNone) {
  keeper::Adoption adoption;
  adoption.stash["label/a"].bytes = "nonsense";
  adoption.children.push_back(child("a", 1, 100));
  const runtime::TreeAdoption former = former_tree(adoption);
  EXPECT_FALSE(former.processes.at("a").label);
  EXPECT_TRUE(former.processes.at("a").child);
}

TEST(WorkerNamed, KnowsInstancesAndSources) {
  EXPECT_EQ(worker_named("echo.1", "alpha"), "echo.1");
  EXPECT_EQ(worker_named("//alpha/echo.1", "alpha"), "echo.1");
  EXPECT_EQ(worker_named("//beta/echo.1", "alpha"), "//beta/echo.1");
}

}  // namespace
}  // namespace tenon::app
