// `packaging/test --long` gives tests of chance more time, through $TENON_LONG.
#pragma once

#include <cstdlib>

namespace tenon::test_support {

// `usual` in an ordinary run, `thorough` in a long one.
template <class Number>
Number rounds(Number usual, Number thorough) {
  return std::getenv("TENON_LONG") == nullptr ? usual : thorough;
}

}  // namespace tenon::test_support
