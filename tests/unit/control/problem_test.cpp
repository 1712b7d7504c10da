#include "control/problem.hpp"

#include "common/json_document.hpp"

namespace tenon::control {
namespace {

TEST(Problem, EveryErrorHasItsStatus) {
  const std::pair<errc, int> expected[] = {
      {errc::ok, 200},           {errc::cancelled, 503},   {errc::internal, 500},   {errc::invalid_argument, 400},
      {errc::timeout, 504},      {errc::not_found, 404},   {errc::already_exists, 409}, {errc::permission, 403},
      {errc::exhausted, 503},    {errc::wrong_state, 409}, {errc::unsupported, 501}, {errc::unavailable, 503},
      {errc::bad_data, 400},     {errc::io, 500},          {errc::untranslatable, 422}};
  for (const auto& [code, status] : expected) EXPECT_EQ(http_status(code), status) << to_string(code);
}

TEST(Problem, IsAProblemDocument) {
  const HttpResponse response = problem(Error(errc::not_found, "there is no \"x\"", fault::caller));
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_EQ(response.body, R"({"type":"about:blank","title":"Not Found","status":404,)"
                           R"("detail":"there is no \"x\"","code":"not_found"})");
}

TEST(Problem, OverloadSaysWhenToComeBack) {
  const HttpResponse response = problem(Error(errc::exhausted, "full"));
  ASSERT_EQ(response.headers.size(), 1u);
  EXPECT_EQ(response.headers[0].name, "Retry-After");
  EXPECT_TRUE(problem(404, "x").headers.empty());
}

TEST(Problem, WhatIsLargerThanMayBeIsNoOverload) {
  const HttpResponse response = problem(Error(errc::exhausted, "too large", fault::caller));
  EXPECT_EQ(response.status, 413);
  EXPECT_TRUE(response.headers.empty());
}

TEST(Problem, EveryStatusThatIsSentHasAPhrase) {
  for (const int status : {200, 202, 400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 431, 500, 501, 503, 504}) {
    EXPECT_NE(reason_phrase(status), "Status") << status;
  }
}

}  // namespace
}  // namespace tenon::control
