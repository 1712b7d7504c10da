// What stands in two places must be the same in both: status codes in host and ABI, the version in source and build.
#include <gtest/gtest.h>

#include <tenon/types.h>

#include "app/version.hpp"
#include "common/error.hpp"

namespace {

using tenon::errc;
using tenon::fault;

constexpr bool same(errc code, tenon_status status) { return static_cast<tenon_status>(code) == status; }
constexpr bool same(fault whose, std::uint32_t number) { return static_cast<std::uint32_t>(whose) == number; }

// An error crosses the ABI as a cast, in both directions.
static_assert(same(errc::ok, TENON_OK));
static_assert(same(errc::cancelled, TENON_ERR_CANCELLED));
static_assert(same(errc::internal, TENON_ERR_INTERNAL));
static_assert(same(errc::invalid_argument, TENON_ERR_INVALID_ARGUMENT));
static_assert(same(errc::timeout, TENON_ERR_TIMEOUT));
static_assert(same(errc::not_found, TENON_ERR_NOT_FOUND));
static_assert(same(errc::already_exists, TENON_ERR_ALREADY_EXISTS));
static_assert(same(errc::permission, TENON_ERR_PERMISSION));
static_assert(same(errc::exhausted, TENON_ERR_EXHAUSTED));
static_assert(same(errc::wrong_state, TENON_ERR_WRONG_STATE));
static_assert(same(errc::unsupported, TENON_ERR_UNSUPPORTED));
static_assert(same(errc::unavailable, TENON_ERR_UNAVAILABLE));
static_assert(same(errc::bad_data, TENON_ERR_BAD_DATA));
static_assert(same(errc::io, TENON_ERR_IO));
static_assert(same(errc::untranslatable, TENON_ERR_UNTRANSLATABLE));

static_assert(same(fault::host, TENON_FAULT_HOST));
static_assert(same(fault::caller, TENON_FAULT_CALLER));
static_assert(same(fault::plugin, TENON_FAULT_PLUGIN));
static_assert(same(fault::remote, TENON_FAULT_REMOTE));

TEST(StatusCodes, EndWithTheLastOneThatIsHeldAgainstTheAbiHere) {
  const std::string_view unknown = to_string(static_cast<errc>(9999));
  EXPECT_NE(to_string(errc::untranslatable), unknown);
  EXPECT_EQ(to_string(static_cast<errc>(TENON_ERR_UNTRANSLATABLE + 1)), unknown)
      << "a new errc: give it the same number in plugin-api/include/tenon/types.h and add it above";
}

TEST(HostVersion, IsTheVersionOfTheBuild) {
  EXPECT_EQ(tenon::app::kVersion, TENON_PROJECT_VERSION)
      << "host/app/version.hpp and project(VERSION) in CMakeLists.txt differ; change both with a release";
}

}  // namespace
