#include "values.hpp"

#include <cstdint>
#include <cstring>
#include <string>

#include <msgpack/null_visitor.hpp>
#include <msgpack/unpack.hpp>  // parse.hpp does not compile without it
#include <msgpack/parse.hpp>

#include "../shared/refuse.hpp"
#include "../shared/sink_calls.hpp"
#include "../shared/utf8.hpp"
#include "../shared/value_order.hpp"

namespace tenon::msgpack_plugin {

using serializers::refuse;

namespace {

constexpr std::int8_t kTimestampType = -1;
constexpr std::uint32_t kNanoseconds = 1'000'000'000;

template <class Unsigned>
Unsigned load_big_endian(const char* at) noexcept {
  Unsigned value = 0;
  for (std::size_t i = 0; i < sizeof(Unsigned); ++i) {
    value = static_cast<Unsigned>(value << 8 | static_cast<std::uint8_t>(at[i]));
  }
  return value;
}

struct Timestamp {
  std::int64_t seconds;
  std::uint32_t nanoseconds;  // kNanoseconds: the octets are no timestamp
};

// Source: MessagePack specification, "Timestamp extension type": 32, 64 and 96 bits.
Timestamp read_timestamp(const char* body, std::uint32_t size) noexcept {
  if (size == 4) return {load_big_endian<std::uint32_t>(body), 0};
  if (size == 8) {
    const auto both = load_big_endian<std::uint64_t>(body);
    return {static_cast<std::int64_t>(both & 0x3'ffff'ffffull), static_cast<std::uint32_t>(both >> 34)};
  }
  if (size == 12) {
    return {static_cast<std::int64_t>(load_big_endian<std::uint64_t>(body + 4)), load_big_endian<std::uint32_t>(body)};
  }
  return {0, kNanoseconds};
}

// What every walk over a value looks at: depth, UTF-8, and where the parser stopped. Refusals are thrown, through
// msgpack-c, which is exception-safe here: its parser owns nothing but a std::vector.
class Visitor : public ::msgpack::null_visitor {
 public:
  Visitor(const char* base, std::size_t offset) noexcept : base_(base), offset_(offset) {}

  bool start_array(std::uint32_t) { return enter(); }
  bool start_map(std::uint32_t) { return enter(); }
  bool end_array() { return leave(); }
  bool end_map() { return leave(); }
  bool visit_str(const char* text, std::uint32_t size) {
    check_text(text, size);
    return true;
  }
  bool visit_ext(const char* body, std::uint32_t size) {
    if (static_cast<std::int8_t>(body[0]) == kTimestampType) checked_timestamp(body + 1, size - 1);
    return true;
  }

  [[noreturn]] void parse_error(std::size_t, std::size_t at) {
    refuse("0xc1 begins no MessagePack object; send a whole value", offset_ + at);
  }
  [[noreturn]] void insufficient_bytes(std::size_t, std::size_t at) {
    refuse("the input ends in the middle of a value; send the whole value", offset_ + at);
  }

 protected:
  void check_text(const char* text, std::uint32_t size) {
    const std::size_t bad = serializers::first_invalid_utf8({size == 0 ? "" : text, size});
    if (bad != serializers::kValidUtf8) refuse("text that is not UTF-8; send it as bin", position(text) + bad);
  }
  Timestamp checked_timestamp(const char* body, std::uint32_t size) {
    const Timestamp timestamp = read_timestamp(body, size);
    if (timestamp.nanoseconds >= kNanoseconds) {
      refuse("a timestamp of no legal form; it has 4, 8 or 12 octets and less than 1000000000 nanoseconds",
             position(body));
    }
    return timestamp;
  }
  std::size_t position(const char* at) const noexcept { return offset_ + static_cast<std::size_t>(at - base_); }

  bool enter() {
    if (++depth_ > serializers::kMaxDepth) refuse("nested deeper than 512 levels; flatten the value", offset_);
    return true;
  }
  bool leave() noexcept {
    --depth_;
    return true;
  }

 private:
  const char* base_;
  std::size_t offset_;
  std::size_t depth_ = 0;
};

// Passes what the parser finds on to a sink. Keys are told from values by msgpack-c's start_map_key.
class Driver : public Visitor {
 public:
  Driver(const char* base, const tenon_value_sink& sink, serializers::MapKeys& keys)
      : Visitor(base, 0), calls_(sink, keys) {}

  bool start_map_key() {
    key_ = true;
    return true;
  }
  bool end_map_key() {
    key_ = false;
    return true;
  }
  bool visit_nil() {
    value_only();
    calls_.null_value();
    return true;
  }
  bool visit_boolean(bool value) {
    value_only();
    calls_.boolean(value);
    return true;
  }
  bool visit_positive_integer(std::uint64_t value) {
    value_only();
    calls_.unsigned_integer(value);
    return true;
  }
  bool visit_negative_integer(
      std::int64_t value) {  // msgpack-c comes here for every signed encoding, whatever the value
    value_only();
    calls_.signed_integer(value);
    return true;
  }
  bool visit_float32(float value) { return visit_float64(value); }
  bool visit_float64(double value) {
    value_only();
    calls_.number(value);
    return true;
  }
  bool visit_str(const char* text, std::uint32_t size) {
    check_text(text, size);
    const std::string_view value(size == 0 ? "" : text, size);
    if (key_) {
      calls_.key(value);
    } else {
      calls_.string(value);
    }
    return true;
  }
  bool visit_bin(const char* octets, std::uint32_t size) {
    value_only();
    calls_.binary({reinterpret_cast<const std::uint8_t*>(octets), size});
    return true;
  }
  bool visit_ext(const char* body, std::uint32_t size) {
    value_only();
    const auto type = static_cast<std::int8_t>(body[0]);
    if (type == kTimestampType) {
      const Timestamp timestamp = checked_timestamp(body + 1, size - 1);
      calls_.timestamp(timestamp.seconds, timestamp.nanoseconds);
    } else {
      calls_.extension(type, {reinterpret_cast<const std::uint8_t*>(body) + 1, size - 1});
    }
    return true;
  }
  bool start_array(std::uint32_t count) {
    value_only();
    enter();
    calls_.begin_array(count);
    return true;
  }
  bool end_array() {
    calls_.end_array();
    return leave();
  }
  bool start_map(std::uint32_t count) {
    value_only();
    enter();
    calls_.begin_map(count);
    return true;
  }
  bool end_map() {
    calls_.end_map();
    return leave();
  }

 private:
  void value_only() const {
    if (key_) serializers::untranslatable("a map key that is not text; the value stream has text keys only");
  }

  serializers::SinkCalls calls_;
  bool key_ = false;
};

// Runs the parser over one value at the start of `input`; returns the value's size.
template <class V>
std::size_t parse(std::string_view input, V& visitor) {
  std::size_t taken = 0;
  ::msgpack::parse(input.data(), input.size(), taken, visitor);
  return taken;
}

}  // namespace

std::size_t check_value(std::string_view input, std::size_t offset) {
  Visitor visitor(input.data(), offset);
  return parse(input, visitor);
}

tenon_status read_value(std::string_view input, const tenon_value_sink& sink, serializers::MapKeys& keys) {
  Driver driver(input.data(), sink, keys);
  try {
    const std::size_t taken = parse(input, driver);
    if (taken != input.size()) refuse("one value was expected; remove what follows it", taken);
    return TENON_OK;
  } catch (const serializers::SinkRefusal& refusal) {
    return refusal.status;
  }
}

}  // namespace tenon::msgpack_plugin
