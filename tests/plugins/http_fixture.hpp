// What the tests of health_check/http share: the plugin, and configs of it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "support/plugin_under_test.hpp"
#include "support/scripted_server.hpp"

namespace tenon::test_support {

inline const tenon_health_check& http() {
  static const LoadedPlugin plugin = LoadedPlugin::open("http");
  return plugin.health_check("http");
}

inline std::string url(std::uint16_t port, const std::string& path = "/healthz") {
  return "http://127.0.0.1:" + std::to_string(port) + path;
}
inline std::string config(const std::string& url, const std::string& more = {}) {
  return R"({"url":")" + url + "\"" + more + "}";
}
inline std::string config(const ScriptedServer& server, const std::string& more = {}) {
  return config(url(server.port()), more);
}

}  // namespace tenon::test_support
