// Any octets as a JSON event and as a JSON value; what the value reader accepts is held against a plain reading of the
// RFC.
#include "fuzz/plugins/serializer_fuzz.hpp"
#include "fuzz/plugins/strict_json.hpp"

namespace tenon::fuzz {
namespace {

bool is_utf8(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    const auto octet = [&](std::size_t k) -> unsigned {
      return i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0;
    };
    const auto tail = [&](std::size_t k) { return (octet(k) & 0xc0) == 0x80; };
    const unsigned lead = octet(0);
    if (lead < 0x80) i += 1;
    else if (lead >= 0xc2 && lead < 0xe0 && tail(1)) i += 2;
    else if (lead >= 0xe0 && lead < 0xf0 && tail(1) && tail(2) && !(lead == 0xe0 && octet(1) < 0xa0) &&
             !(lead == 0xed && octet(1) > 0x9f)) i += 3;
    else if (lead >= 0xf0 && lead < 0xf5 && tail(1) && tail(2) && tail(3) && !(lead == 0xf0 && octet(1) < 0x90) &&
             !(lead == 0xf4 && octet(1) > 0x8f)) i += 4;
    else return false;
  }
  return true;
}

// An attribute's rules apart, the value reader and the check of `data` accept exactly the RFC's texts.
void check_grammar(rig::Instance& json, std::string_view text) {
  const bool legal = is_utf8(text) && StrictJson::accepts(text);
  rig::Record record;
  const rig::Outcome value = json.read_value(rig::Input(text), record.sink());
  // A number beyond the doubles ends the stream before the reader has seen what follows.
  if (value.status != TENON_ERR_UNTRANSLATABLE)
    must(value.ok() == legal, "the value reader is the RFC's grammar", value.text);
  const rig::Input event(R"({"data":)" + std::string(text) + "}");
  tenon_event seen;
  TENON_INIT(&seen);
  const rig::Outcome data = json.read_event(event, seen);
  if (legal) must(data.ok(), "data may be any JSON value", data.text);
}

}  // namespace
}  // namespace tenon::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = tenon::fuzz;
  static fuzz::rig::Instance json("json");
  static fuzz::rig::Instance writer("json");
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (fuzz::check_event(json, text)) {
    fuzz::must(fuzz::StrictJson::accepts(text), "an event is JSON");
  }
  fuzz::check_value(json, writer, text);
  fuzz::check_grammar(json, text);
  return 0;
}
