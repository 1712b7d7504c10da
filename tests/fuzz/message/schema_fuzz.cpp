// A schema and data for it, parted by the first NUL: neither may end the program, whatever they say.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "message/validation.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using tenon::message::Schema;
  const std::string_view input(reinterpret_cast<const char*>(bytes), size);
  const std::size_t part = input.find('\0');
  if (part == std::string_view::npos) return 0;
  const auto schema = Schema::compile(input.substr(0, part), "fuzz");
  if (!schema.ok()) return 0;
  const std::string_view data = input.substr(part + 1);
  const auto found = (*schema)->findings(data, 4);
  // A verdict and its explanation never disagree.
  if (found.size() > 4 || found.empty() != (*schema)->check(data).ok()) std::abort();
  return 0;
}
