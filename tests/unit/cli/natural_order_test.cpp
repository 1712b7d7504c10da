#include "cli/natural_order.hpp"

namespace tenon::cli {
namespace {

TEST(NaturalOrder, CountsNumbersByTheirValue) {
  const char* ordered[] = {"", "a", "w.01", "w.1", "w.2", "w.10", "w.10.b", "w.100", "wa", "x99999999999999999999998",
                           "x99999999999999999999999"};
  for (std::size_t i = 0; i < std::size(ordered); ++i)
    for (std::size_t j = 0; j < std::size(ordered); ++j)
      EXPECT_EQ(natural_less(ordered[i], ordered[j]), i < j) << ordered[i] << " " << ordered[j];
}

}  // namespace
}  // namespace tenon::cli
