#include "control/route_table.hpp"

#include "common/text.hpp"

namespace tenon::control {
namespace {

using Outcome = RouteMatch::Outcome;
using ::testing::ElementsAre;

RouteMatch route(std::string_view method, std::string_view target) {
  return find_route(method, parse_target(target).value().segments);
}

TEST(RouteTable, EveryEntryIsFoundByItsOwnPattern) {
  for (const RouteEntry& entry : route_table()) {
    std::string path(entry.pattern);
    if (const auto at = path.find("{id}"); at != path.npos) path.replace(at, 4, "counter.1");
    if (const auto at = path.find("{verb}"); at != path.npos) path.replace(at, 6, "stop");
    const RouteMatch match = route(entry.method, path);
    ASSERT_EQ(match.outcome, Outcome::found) << path;
    EXPECT_EQ(match.entry->route, entry.route) << path;
  }
}

TEST(RouteTable, HandsOutWhatStandsInBraces) {
  EXPECT_THAT(route("POST", "/v1/processes/worker.%2A/restart").parameters, ElementsAre("worker.*", "restart"));
  EXPECT_THAT(route("GET", "/v1/processes/a%2Fb").parameters, ElementsAre("a/b"));
}

TEST(RouteTable, HeadIsOfferedWhereGetIs) {
  EXPECT_EQ(route("HEAD", "/v1/info").outcome, Outcome::found);
  EXPECT_EQ(route("HEAD", "/v1/shutdown").outcome, Outcome::wrong_method);
}

TEST(RouteTable, NamesTheMethodsThatArePossible) {
  EXPECT_EQ(route("DELETE", "/v1/events").allowed, "GET, HEAD, POST");
  EXPECT_EQ(route("GET", "/v1/processes/a/stop").allowed, "POST");
}

TEST(RouteTable, DoesNotGuess) {
  for (const char* path : {"/v1", "/v2/info", "/v1/info/", "/v1/processes/", "/v1/processes//stop",
                           "/v1/processes/a/explode", "/v1/processes/a/stop/now"}) {
    EXPECT_EQ(route("POST", path).outcome, Outcome::unknown_path) << path;
  }
}

}  // namespace
}  // namespace tenon::control
