// Any text as the url of transport/nats: it is refused with a sentence, or an instance is made; and what it says never
// holds a password.
#include <tenon/transport.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "fuzz/must.hpp"
#include "support/fake_plugin_host.hpp"
#include "support/loaded_plugin.hpp"

namespace {

// Whether one of the servers of the list has the word elsewhere than in front of its '@'.
bool is_said_openly(const std::string& urls, const std::string& word) {
  for (std::size_t begin = 0; begin <= urls.size();) {
    const std::size_t end = std::min(urls.find(',', begin), urls.size());
    const std::string url = urls.substr(begin, end - begin);
    const std::size_t at = url.rfind('@');
    if (url.find(word, at == std::string::npos ? 0 : at) != std::string::npos) return true;
    begin = end + 1;
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tenon::fuzz::must;
  static const tenon::test_support::LoadedPlugin plugin = tenon::test_support::LoadedPlugin::open("nats");
  const tenon_transport& table = plugin.transport("nats");
  tenon::test_support::FakePluginHost host("{}", "fuzz");
  const std::string url(reinterpret_cast<const char*>(data), size);
  tenon_connection_config config;
  TENON_INIT(&config);
  config.name = TENON_LITERAL("bus");
  config.url = {url.data(), url.size()};
  config.timeout_ns = 1'000'000'000;
  tenon_error error;
  TENON_INIT(&error);
  void* self = nullptr;
  if (table.create(host.get(), &config, &self, &error) == TENON_OK) {
    tenon_transport_info info;
    TENON_INIT(&info);
    table.describe(self, &info);
    must((info.flags & TENON_TRANSPORT_ENCODED) != 0, "it says what it is");
    table.destroy(self);
    return 0;
  }
  const std::string text(error.text, error.text_size);
  must(error.code == TENON_ERR_INVALID_ARGUMENT && !text.empty(), "a refusal says why", url);
  must(text.find("secret") == std::string::npos || is_said_openly(url, "secret"), "no password is shown", text);
  return 0;
}
