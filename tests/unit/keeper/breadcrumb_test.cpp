#include "keeper/breadcrumb.hpp"

#include <memory>

#include <unistd.h>

#include <gtest/gtest.h>

#include "keeper/mapped_page.hpp"

namespace tenon::keeper {
namespace {

class BreadcrumbTest : public testing::Test {
 protected:
  BreadcrumbTest() {
    auto file = make_shared_memory("test", sizeof(BreadcrumbPage));
    EXPECT_TRUE(file.ok());
    auto mapped = MappedPage<BreadcrumbPage>::map(file->get());
    EXPECT_TRUE(mapped.ok());
    page_ = std::move(*mapped);
  }
  BreadcrumbPage& page() { return *page_; }

  MappedPage<BreadcrumbPage> page_;
};

TEST_F(BreadcrumbTest, NamesPluginComponentCallAndEventOfACallThatIsUnderWay) {
  const auto place = register_place(page(), "/plugins/nats.so", "transport/nats");
  const auto call = register_call(page(), "send");
  BreadcrumbLane lane(&page());
  BreadcrumbScope scope(lane, place, call, "event-17", "bus");
  const auto crumbs = read_breadcrumbs(page()).calls;
  ASSERT_EQ(crumbs.size(), 1u);
  EXPECT_EQ(crumbs[0].file, "/plugins/nats.so");
  EXPECT_EQ(crumbs[0].component, "transport/nats");
  EXPECT_EQ(crumbs[0].call, "send");
  EXPECT_EQ(crumbs[0].event_id, "event-17");
  EXPECT_EQ(crumbs[0].subject, "bus");
  EXPECT_EQ(crumbs[0].lane, 0u);
  EXPECT_EQ(crumbs[0].thread, ::gettid());
}

TEST_F(BreadcrumbTest, ShowsNothingBetweenCalls) {
  BreadcrumbLane lane(&page());
  { BreadcrumbScope scope(lane, register_place(page(), "a", "b"), register_call(page(), "c")); }
  EXPECT_TRUE(read_breadcrumbs(page()).calls.empty());
}

TEST_F(BreadcrumbTest, ReturnsToTheOuterCallWithItsEvent) {
  const auto outer = register_place(page(), "outer.so", "transport/outer");
  const auto inner = register_place(page(), "inner.so", "serializer/inner");
  const auto call = register_call(page(), "c");
  BreadcrumbLane lane(&page());
  BreadcrumbScope first(lane, outer, call, "one");
  {
    BreadcrumbScope second(lane, inner, call, "the second");
    EXPECT_EQ(read_breadcrumbs(page()).calls.at(0).file, "inner.so");
  }
  EXPECT_EQ(read_breadcrumbs(page()).calls.at(0).file, "outer.so");
  EXPECT_EQ(read_breadcrumbs(page()).calls.at(0).event_id, "one");
}

TEST_F(BreadcrumbTest, KeepsWhatTheDyingThreadSaid) {
  EXPECT_FALSE(read_breadcrumbs(page()).crashed_thread);
  note_crash(page());
  EXPECT_EQ(read_breadcrumbs(page()).crashed_thread, ::gettid());
  EXPECT_FALSE(read_breadcrumbs(page()).from_outside);
  note_outside_signal(page());
  EXPECT_FALSE(read_breadcrumbs(page()).crashed_thread);
  EXPECT_TRUE(read_breadcrumbs(page()).from_outside);
}

TEST_F(BreadcrumbTest, FindsAPlaceAgainInsteadOfRegisteringItTwice) {
  const auto first = register_place(page(), std::string(2000, 'p'), "transport/a");
  EXPECT_EQ(register_place(page(), std::string(2000, 'p'), "transport/a"), first);
  EXPECT_NE(register_place(page(), "other", "transport/a"), first);
}

TEST_F(BreadcrumbTest, SharesTheLastPlaceWhenTheTableIsFull) {
  std::uint32_t last = 0;
  for (int i = 0; i < 300; ++i) last = register_place(page(), "file" + std::to_string(i), "c");
  EXPECT_EQ(last, BreadcrumbPage::kPlaces - 1);
  EXPECT_STREQ(page().places[last].file, "(others)");
}

TEST_F(BreadcrumbTest, IsInertWithoutAFreeLane) {
  std::vector<std::unique_ptr<BreadcrumbLane>> lanes;
  for (std::size_t i = 0; i < BreadcrumbPage::kLanes; ++i) lanes.push_back(std::make_unique<BreadcrumbLane>(&page()));
  BreadcrumbLane one_too_many(&page());
  EXPECT_TRUE(one_too_many.inert());
  { BreadcrumbScope scope(one_too_many, 0, 0, "x"); }
  lanes.pop_back();
  BreadcrumbLane next(&page());
  EXPECT_FALSE(next.inert());
}

TEST_F(BreadcrumbTest, SurvivesAPageFullOfGarbage) {
  std::memset(static_cast<void*>(&page()), 0xff, sizeof(BreadcrumbPage));
  const auto crumbs = read_breadcrumbs(page()).calls;
  EXPECT_EQ(crumbs.size(), BreadcrumbPage::kLanes);
  clear_breadcrumbs(page());
  EXPECT_TRUE(read_breadcrumbs(page()).calls.empty());
}

}  // namespace
}  // namespace tenon::keeper
