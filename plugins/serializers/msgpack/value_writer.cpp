#include "value_writer.hpp"

#include <algorithm>
#include <cstring>

#include "packing.hpp"

namespace tenon::msgpack_plugin {

namespace {

constexpr std::uint64_t kFixLimit = 15;
constexpr std::int8_t kTimestampType = -1;

std::string_view octets_of(tenon_bytes octets) noexcept {
  return {octets.size == 0 ? "" : reinterpret_cast<const char*>(octets.data), octets.size};
}

char* store_big_endian(char* to, std::uint64_t value, int size) noexcept {
  for (int i = size - 1; i >= 0; --i) *to++ = static_cast<char>(value >> (8 * i));
  return to;
}

// The octets that a header for `count` has beyond the one-octet form.
std::size_t extra_octets(std::uint32_t count) noexcept { return count <= 0xffff ? 2 : 4; }

}  // namespace

void ValueWriter::null_value() {
  order().value();
  output().put(static_cast<char>(0xc0));
}

void ValueWriter::boolean(bool value) {
  order().value();
  output().put(static_cast<char>(value ? 0xc3 : 0xc2));
}

void ValueWriter::signed_integer(std::int64_t value) {
  order().value();
  Packer(output()).pack_int64(value);
}

void ValueWriter::unsigned_integer(std::uint64_t value) {
  order().value();
  Packer(output()).pack_uint64(value);
}

void ValueWriter::number(double value) {
  order().value();
  put_real(output(), value);
}

void ValueWriter::string(std::string_view value) {
  order().value();
  Packer packer(output());
  put_text(packer, value);
}

void ValueWriter::binary(tenon_bytes value) {
  order().value();
  Packer packer(output());
  put_binary(packer, octets_of(value));
}

void ValueWriter::timestamp(std::int64_t seconds, std::uint32_t nanoseconds) {
  if (nanoseconds > 999'999'999) serializers::untranslatable("a timestamp with a second or more of nanoseconds");
  order().value();
  char body[12];
  char* end;
  if (seconds < 0 || seconds >= std::int64_t{1} << 34) {
    end = store_big_endian(store_big_endian(body, nanoseconds, 4), static_cast<std::uint64_t>(seconds), 8);
  } else if (nanoseconds != 0 || seconds > std::int64_t{UINT32_MAX}) {
    end = store_big_endian(body, std::uint64_t{nanoseconds} << 34 | static_cast<std::uint64_t>(seconds), 8);
  } else {
    end = store_big_endian(body, static_cast<std::uint64_t>(seconds), 4);
  }
  const auto size = static_cast<std::size_t>(end - body);
  Packer packer(output());
  packer.pack_ext(size, kTimestampType);
  packer.pack_ext_body(body, static_cast<std::uint32_t>(size));
}

void ValueWriter::extension(std::int32_t type, tenon_bytes value) {
  if (type < INT8_MIN || type > INT8_MAX) {
    serializers::untranslatable("MessagePack's extension types are from -128 to 127");
  }
  order().value();
  const std::uint32_t size = checked_size(value.size);
  Packer packer(output());
  packer.pack_ext(size, static_cast<std::int8_t>(type));
  packer.pack_ext_body(octets_of(value).data(), size);
}

void ValueWriter::key(std::string_view name) {
  order().key();
  Packer packer(output());
  put_text(packer, name);
}

void ValueWriter::open(bool map, std::uint64_t count) {
  order().value();
  order().open(map, count, output().size());
  Packer packer(output());
  const std::uint32_t announced = count == serializers::kUnknownCount ? 0 : checked_size(count);
  map ? packer.pack_map(announced) : packer.pack_array(announced);
}

void ValueWriter::close(bool map) {
  const serializers::ValueOrder::Level level = order().close(map);
  if (level.announced != serializers::kUnknownCount) return;
  if (level.count <= kFixLimit) {
    *output().at(level.header) = static_cast<char>((map ? 0x80 : 0x90) | level.count);
  } else {
    wide_.push_back({level.header, checked_size(level.count), map});
  }
}

void ValueWriter::on_finish() {
  if (wide_.empty()) return;
  std::sort(wide_.begin(), wide_.end(), [](const Wide& a, const Wide& b) { return a.header < b.header; });
  std::size_t extra = 0;
  for (const Wide& wide : wide_) extra += extra_octets(wide.count);
  output().room(extra);
  std::size_t end = output().size();  // of the part that has not moved yet
  output().commit(extra);
  for (auto wide = wide_.rbegin(); wide != wide_.rend(); ++wide) {
    const std::size_t body = wide->header + 1;
    std::memmove(output().at(body + extra), output().at(body), end - body);
    const std::size_t grown = extra_octets(wide->count);
    extra -= grown;
    char* header = output().at(wide->header + extra);
    const bool small = grown == 2;
    *header = static_cast<char>(wide->map ? (small ? 0xde : 0xdf) : (small ? 0xdc : 0xdd));
    store_big_endian(header + 1, wide->count, static_cast<int>(grown));
    end = wide->header;
  }
  if (wide_.capacity() > 1024) std::vector<Wide>().swap(wide_);
}

}  // namespace tenon::msgpack_plugin
