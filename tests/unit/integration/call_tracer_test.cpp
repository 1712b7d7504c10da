#include "integration/call_tracer.hpp"

#include <gtest/gtest.h>

#include "keeper/mapped_page.hpp"

namespace tenon::integration {
namespace {

using keeper::BreadcrumbPage;

class CallTracerTest : public ::testing::Test {
 protected:
  CallTracerTest() {
    page = keeper::MappedPage<BreadcrumbPage>::map(
               keeper::make_shared_memory("test", sizeof(BreadcrumbPage)).value().get())
               .value();
    tracer = std::make_unique<CallTracer>(&*page);
  }
  std::string file_of(std::uint32_t place) const { return page->places[place].file; }

  keeper::MappedPage<BreadcrumbPage> page;
  std::unique_ptr<CallTracer> tracer;
};

TEST_F(CallTracerTest, NamesEachOfAThousandVersionsThatComeAndGo) {
  const std::uint32_t stays = tracer->take_place("stays.so", "transport/a");
  for (int version = 0; version < 1000; ++version) {
    const std::string file = "new" + std::to_string(version) + ".so";
    tracer->enter(file, "", "load");
    EXPECT_EQ(keeper::read_breadcrumbs(*page).calls.at(0).file, file);
    tracer->leave();
    const std::uint32_t place = tracer->take_place(file, "transport/b");
    EXPECT_EQ(file_of(place), file);
    tracer->give_back(place);
  }
  EXPECT_EQ(file_of(stays), "stays.so");
}

TEST_F(CallTracerTest, SharesAPlaceOnlyWhenAllAreInUse) {
  for (std::size_t i = 0; i < BreadcrumbPage::kPlaces; ++i) tracer->take_place("file" + std::to_string(i), "c");
  const std::uint32_t shared = tracer->take_place("one more", "c");
  EXPECT_EQ(file_of(shared), "(others)");
  tracer->give_back(0);
  const std::uint32_t next = tracer->take_place("the next", "c");
  EXPECT_EQ(next, 0u);
  EXPECT_EQ(file_of(next), "the next");
}

TEST_F(CallTracerTest, NeverRenamesAPlaceThatAThreadIsIn) {
  for (std::size_t i = 0; i < BreadcrumbPage::kPlaces; ++i) tracer->take_place("file" + std::to_string(i), "c");
  tracer->give_back(7);
  keeper::BreadcrumbLane other(&*page);
  const keeper::BreadcrumbScope call(other, 7, tracer->call("worker"));
  EXPECT_EQ(file_of(tracer->take_place("one more", "c")), "(others)");
  EXPECT_EQ(file_of(7), "file7");
}

}  // namespace
}  // namespace tenon::integration
