#include "loader/plugin_registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tenon::loader {
namespace {

// Decisions before anything is loaded; what follows from loading is in plugin_loader_test.cpp.

PluginIdentity identity(const std::string& version, std::vector<std::string> names = {"x"}) {
  PluginIdentity plugin;
  plugin.name = "p";
  plugin.version = SemanticVersion::parse(version).value();
  plugin.abi = host_abi();
  for (std::string& name : names) plugin.components.push_back({"transport", std::move(name), "{}"});
  return plugin;
}
FileStamp stamp(std::uint64_t inode) { return {1, inode, 100, 5, 5}; }

class Rejections final : public PluginObserver {
 public:
  void on_rejected(const PluginListing& listing) override { rejected.push_back(listing.file + ": " + listing.reason); }
  void on_quarantined(const PluginListing& listing) override { quarantined.push_back(listing.file); }
  std::vector<std::string> rejected, quarantined;
};

std::string wanted_path(const PluginRegistry& registry) {
  const auto wanted = registry.next_wanted();
  return wanted ? wanted->path : "none";
}

TEST(PluginRegistry, WantsTheHighestVersionWhateverCameFirst) {
  PluginRegistry registry;
  registry.offer({0, "/a/old.so"}, stamp(1), identity("1.9.0"));
  registry.offer({1, "/b/new.so"}, stamp(2), identity("1.10.0"));
  registry.offer({0, "/a/rc.so"}, stamp(3), identity("1.10.0-rc.1"));
  EXPECT_EQ(wanted_path(registry), "/b/new.so");
}

TEST(PluginRegistry, PrefersEarlierDirectoriesAmongEqualVersions) {
  PluginRegistry registry;
  registry.offer({1, "/a/x.so"}, stamp(1), identity("1.0.0"));
  registry.offer({0, "/z/y.so"}, stamp(2), identity("1.0.0"));
  registry.offer({0, "/z/x.so"}, stamp(3), identity("1.0.0+build"));
  EXPECT_EQ(wanted_path(registry), "/z/x.so");
}

TEST(PluginRegistry, SaysWhyNobodyOffersAComponent) {
  PluginRegistry registry;
  EXPECT_THAT(registry.why_missing("transport", "x"), testing::HasSubstr("put its file into a plugin directory"));
  registry.offer({0, "/a/x.so"}, stamp(1), identity("1.0.0"));
  registry.quarantined(registry.next_wanted()->entry, "it crashed in create");
  EXPECT_EQ(registry.why_missing("transport", "x"),
            "no plugin offers transport/x at present: /a/x.so is quarantined (it crashed in create); install a mended "
            "version");
}

TEST(PluginRegistry, ListsWhatItDoesNotWantAsShadowed) {
  PluginRegistry registry;
  registry.offer({0, "/a/1.so"}, stamp(1), identity("1.0.0"));
  registry.offer({0, "/a/2.so"}, stamp(2), identity("2.0.0"));
  const auto list = registry.list();
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].state, PluginState::shadowed);
  EXPECT_EQ(list[0].reason, "shadowed by /a/2.so (2.0.0)");
  EXPECT_THAT(list[0].components, testing::ElementsAre("transport/x"));
}

TEST(PluginRegistry, WantsAFileForTheOneComponentThatNobodyElseOffers) {
  PluginRegistry registry;
  registry.offer({0, "/a/both.so"}, stamp(1), identity("1.0.0", {"x", "y"}));
  registry.offer({0, "/a/x.so"}, stamp(2), identity("2.0.0", {"x"}));
  EXPECT_EQ(wanted_path(registry), "/a/x.so");
  registry.refused(registry.next_wanted()->entry, "no");
  EXPECT_EQ(wanted_path(registry), "/a/both.so");
}

TEST(PluginRegistry, FallsBackToTheNextVersionWhenTheBestIsRefused) {
  PluginRegistry registry;
  Rejections seen;
  registry.add_observer(&seen);
  registry.offer({0, "/a/1.so"}, stamp(1), identity("1.0.0"));
  registry.offer({0, "/a/2.so"}, stamp(2), identity("2.0.0"));
  registry.refused(registry.next_wanted()->entry, "bad");
  EXPECT_EQ(wanted_path(registry), "/a/1.so");
  registry.quarantined(registry.next_wanted()->entry, "killer");
  EXPECT_EQ(wanted_path(registry), "none");
  EXPECT_THAT(seen.rejected, testing::ElementsAre("/a/2.so: bad"));
  EXPECT_THAT(seen.quarantined, testing::ElementsAre("/a/1.so"));
  EXPECT_EQ(registry.list()[0].state, PluginState::quarantined);
}

TEST(PluginRegistry, ReplacesWhatWasSaidAboutAPath) {
  PluginRegistry registry;
  registry.reject({0, "/a/x.so"}, stamp(1), "broken", std::nullopt);
  EXPECT_TRUE(registry.knows("/a/x.so", stamp(1)));
  EXPECT_FALSE(registry.knows("/a/x.so", stamp(2)));
  registry.offer({0, "/a/x.so"}, stamp(2), identity("1.0.0"));
  EXPECT_EQ(registry.list().size(), 1u);
  registry.offer({0, "/a/x.so"}, stamp(3), identity("0.9.0"));
  ASSERT_EQ(registry.list().size(), 1u);
  EXPECT_EQ(registry.list()[0].version, "0.9.0");
}

TEST(PluginRegistry, TellsTheSameRejectionOnce) {
  PluginRegistry registry;
  Rejections seen;
  registry.add_observer(&seen);
  registry.reject({0, "/a/x.so"}, std::nullopt, "cannot open", std::nullopt);
  registry.reject({0, "/a/x.so"}, std::nullopt, "cannot open", std::nullopt);
  EXPECT_EQ(seen.rejected.size(), 1u);
  registry.reject({0, "/a/x.so"}, stamp(1), "broken", std::nullopt);
  EXPECT_EQ(seen.rejected.size(), 2u);
  registry.remove_observer(&seen);
  registry.reject({0, "/a/y.so"}, stamp(1), "broken", std::nullopt);
  EXPECT_EQ(seen.rejected.size(), 2u);
}

TEST(PluginRegistry, ForgetsARemovedFileThatWasNeverLoaded) {
  PluginRegistry registry;
  registry.offer({0, "/a/1.so"}, stamp(1), identity("1.0.0"));
  registry.reject({0, "/a/2.so"}, stamp(2), "broken", std::nullopt);
  EXPECT_EQ(registry.places().size(), 2u);
  registry.remove("/a/1.so");
  registry.remove("/a/2.so");
  EXPECT_THAT(registry.list(), testing::IsEmpty());
  EXPECT_EQ(wanted_path(registry), "none");
  registry.settle();
  EXPECT_EQ(registry.find("transport", "x"), nullptr);
}

}  // namespace
}  // namespace tenon::loader
