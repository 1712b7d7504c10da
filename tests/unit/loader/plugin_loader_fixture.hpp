// What the tests of PluginLoader share: a loader over directories of its own, on a fake loop, and a chronicle of what it
// tells.
#pragma once

#include "loader/plugin_loader.hpp"

#include <fcntl.h>
#include <map>
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "event/fake_loop.hpp"
#include "forked.hpp"
#include "shelf_support.hpp"

namespace tenon::loader {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Writes what it is told as short lines: "loaded good 1.0.0".
class Chronicle final : public PluginObserver {
 public:
  void on_loaded(const PluginListing& listing) override { add("loaded", listing); }
  void on_rejected(const PluginListing& listing) override { add("rejected", listing); }
  void on_retired(const PluginListing& listing) override { add("retired", listing); }
  void on_quarantined(const PluginListing& listing) override { add("quarantined", listing); }
  void on_component_changed(const Component& component,
                            const std::shared_ptr<const ComponentVersion>& before) override {
    const auto version = [](const auto& v) { return v ? v->plugin().version.text() : std::string("none"); };
    lines.push_back(component.id() + " " + version(before) + " -> " + version(component.current()));
  }
  std::vector<std::string> take() { return std::exchange(lines, {}); }
  std::vector<std::string> lines;

 private:
  void add(const std::string& what, const PluginListing& listing) {
    lines.push_back(what + " " + (listing.name.empty() ? "?" : listing.name) + " " + listing.version);
  }
};

class PluginLoaderTest : public testing::Test {
 protected:
  void start(std::vector<std::string> directories = {}) {
    make(std::move(directories));
    const Status started = loader_->start();
    ASSERT_TRUE(started.ok()) << started.error().message;
  }
  void make(std::vector<std::string> directories) {
    LoaderOptions options;
    options.directories = directories.empty() ? std::vector{plugins_.path()} : std::move(directories);
    options.kinds = {test::restart_policy_kind()};
    options.copy_bases = {base_.path()};
    options.keep = [this](const PluginPlace& place, const FileStamp& stamp, int copy) {
      KeptPlugin kept{place, stamp, {}};
      kept_[place.path] = {kept.encode(), unique_fd(::fcntl(copy, F_DUPFD_CLOEXEC, 0))};
    };
    options.forget = [this](const std::string& path) { kept_.erase(path); };
    loader_ = std::make_unique<PluginLoader>(std::move(options), loop_, quarantine_, trace_);
    loader_->registry().add_observer(&chronicle_);
  }
  // What the loader before left, and another loader that takes it over.
  Status take_over(std::vector<std::string> directories) {
    std::vector<KeptPlugin> former;
    for (auto& [path, kept] : kept_) {
      auto decoded = KeptPlugin::decode(kept.first, path, std::move(kept.second));
      EXPECT_TRUE(decoded.ok());
      former.push_back(std::move(*decoded));
    }
    kept_.clear();
    chronicle_.take();
    make(std::move(directories));
    return loader_->take_over(std::move(former));
  }
  // Serves the watches until nothing more has been reported.
  void serve_watches() {
    while (loop_.poll_descriptors() != 0) {
    }
  }
  std::vector<std::string> states() const {
    std::vector<std::string> lines;
    for (const PluginListing& listing : loader_->registry().list()) {
      lines.push_back(listing.file.substr(listing.file.rfind('/') + 1) + " " + listing.version + " " +
                      std::string(to_string(listing.state)));
    }
    return lines;
  }
  std::string reason_of(std::size_t i) const { return loader_->registry().list().at(i).reason; }
  std::string version_of(const std::string& name) const {
    const Component* component = loader_->registry().find("restart_policy", name);
    return component != nullptr && component->current() ? component->current()->plugin().version.text() : "none";
  }

  test::TemporaryDirectory plugins_, more_plugins_, base_;
  event::FakeLoop loop_;
  Quarantine quarantine_;
  test::RecordingTrace trace_;
  Chronicle chronicle_;
  std::map<std::string, std::pair<std::string, unique_fd>> kept_;  // by path
  std::unique_ptr<PluginLoader> loader_;
};

}  // namespace tenon::loader
