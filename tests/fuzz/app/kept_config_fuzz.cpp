// Any octets as a config that the keeper kept: what is accepted comes out the same when it is kept again.
#include "app/config_source.hpp"

#include <cstdint>

#include "fuzz/must.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tenon::app::ConfigSources;
  using tenon::fuzz::must;
  const auto sources = ConfigSources::from_bytes({reinterpret_cast<const char*>(data), size});
  if (!sources.ok()) {
    must(sources.error().code == tenon::errc::bad_data && !sources.error().message.empty(), "a refusal says why");
    return 0;
  }
  must(!sources->files.empty(), "a kept config has a main file");
  const auto again = ConfigSources::from_bytes(sources->to_bytes());
  must(again.ok(), "what was accepted can be kept again");
  must(again->files == sources->files && again->records == sources->records, "and says the same");
  return 0;
}
