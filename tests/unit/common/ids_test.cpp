#include "common/ids.hpp"

#include <set>

namespace tenon {
namespace {

WallTime ms(std::int64_t milliseconds) { return WallTime(std::chrono::milliseconds(milliseconds)); }

TEST(Ulid, BeginsWithTheTime) {
  UlidGenerator generator;
  const std::string id = generator.next(ms(1'469'918'176'385));  // the example of the ULID specification
  EXPECT_EQ(id.substr(0, 10), "01ARYZ6S41");
  EXPECT_TRUE(is_ulid(id));
}

TEST(Ulid, RisesWithinAMillisecondAndWhenTheClockStepsBack) {
  UlidGenerator generator;
  std::string last;
  for (int i = 0; i < 100'000; ++i) {
    std::string id = generator.next(ms(i < 50'000 ? 1'000'000 : 999'000));
    ASSERT_LT(last, id);
    last = std::move(id);
  }
  EXPECT_LT(last, generator.next(ms(1'000'001)));
}

TEST(Ulid, CountsTheRandomPartUpByOne) {
  UlidGenerator generator(7);
  std::string a = generator.next(ms(5));
  const std::string b = generator.next(ms(5));
  constexpr std::string_view kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  std::size_t i = a.size();
  while (a[--i] == 'Z') a[i] = '0';
  a[i] = kDigits[kDigits.find(a[i]) + 1];
  EXPECT_EQ(a, b);
}

TEST(Ulid, DiffersBetweenGeneratorsAtTheSameTime) {
  std::set<std::string> seen;
  for (int i = 0; i < 1'000; ++i) EXPECT_TRUE(seen.insert(UlidGenerator().next(ms(1))).second);
}

TEST(Ulid, IsTheSameForTheSameSeed) {
  UlidGenerator a(42), b(42);
  EXPECT_EQ(a.next(ms(1)), b.next(ms(1)));
  EXPECT_EQ(a.next(ms(2)), b.next(ms(2)));
}

TEST(Ulid, CountsTimesBefore1970AsTheEpoch) {
  UlidGenerator generator;
  EXPECT_EQ(generator.next(ms(-5)).substr(0, 10), "0000000000");
}

TEST(IsUlid, RefusesWhatIsNone) {
  EXPECT_TRUE(is_ulid("01ARZ3NDEKTSV4RRFFQ69G5FAV"));
  EXPECT_TRUE(is_ulid("7ZZZZZZZZZZZZZZZZZZZZZZZZZ"));
  EXPECT_FALSE(is_ulid("8ZZZZZZZZZZZZZZZZZZZZZZZZZ"));
  EXPECT_FALSE(is_ulid("01ARZ3NDEKTSV4RRFFQ69G5FA"));
  EXPECT_FALSE(is_ulid("01ARZ3NDEKTSV4RRFFQ69G5FAU"));  // no U, I, L, O
  EXPECT_FALSE(is_ulid("01arz3ndektsv4rrffq69g5fav"));
}

TEST(Random, RepeatsForASeedAndDiffersForOthers) {
  Random a(1), b(1), c(2);
  const std::uint64_t first = a.next();
  EXPECT_EQ(first, b.next());
  EXPECT_NE(first, c.next());
  EXPECT_NE(Random().next(), Random().next());
}

TEST(Random, MatchesTheReferenceOfXoshiro256StarStar) {
  // splitmix64(0) as the seed, then the reference implementation's first outputs.
  Random random(0);
  EXPECT_EQ(random.next(), 0x99EC5F36CB75F2B4ull);
  EXPECT_EQ(random.next(), 0xBF6E1F784956452Aull);
}

TEST(Random, BelowStaysBelowAndReachesEveryValue) {
  Random random(3);
  std::array<int, 6> hits{};
  for (int i = 0; i < 6'000; ++i) ++hits[random.below(6)];
  for (int count : hits) EXPECT_GT(count, 800);
  EXPECT_EQ(random.below(1), 0u);
  EXPECT_LT(random.below(UINT64_MAX), UINT64_MAX);
}

TEST(Random, UniformStaysWithinItsBounds) {
  Random random(4);
  double low = 1, high = 0;
  for (int i = 0; i < 10'000; ++i) {
    const double x = random.uniform();
    low = std::min(low, x), high = std::max(high, x);
    const double y = random.uniform(-2, 3);
    ASSERT_TRUE(y >= -2 && y < 3);
  }
  EXPECT_GE(low, 0);
  EXPECT_LT(high, 1);
  EXPECT_LT(low, 0.01);
  EXPECT_GT(high, 0.99);
}

TEST(RandomBytes, FillsTheWholeSpan) {
  std::array<std::byte, 1'000> bytes{};
  random_bytes(bytes);
  EXPECT_GT(std::set<std::byte>(bytes.begin(), bytes.end()).size(), 100u);
  random_bytes({});
}

}  // namespace
}  // namespace tenon
