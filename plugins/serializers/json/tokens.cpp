#include "tokens.hpp"

#include <algorithm>

#include <simdjson.h>

#include "../shared/refuse.hpp"
#include "../shared/utf8.hpp"

namespace tenon::json_plugin {

using serializers::refuse;

struct TokenIndex::Stage {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
  std::size_t capacity = 0;  // 0: nothing usable is allocated
};

namespace {

constexpr std::size_t kSmallest = 4096;
constexpr std::size_t kKept = 64 * 1024;       // capacity that is never given back: 256 KiB of offsets
constexpr std::uint32_t kPatience = 256;       // small texts before a large capacity is given back
constexpr std::size_t kLargest = 0xffff'ff00;  // offsets are 32 bits wide

// Stage 1 reports that something is wrong, not where. Errors may be slow: look for it again, octet by octet.
[[noreturn]] void refuse_strings(std::string_view text) {
  std::size_t open = 0;
  bool inside = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (inside && static_cast<unsigned char>(text[i]) < 0x20) {
      refuse("a control character in a string; write it as an escape such as \\n or \\u0000", i);
    }
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      inside = !inside;
      open = i;
    }
  }
  refuse("a string begins here and never ends; close it with a quote", open);
}

[[noreturn]] void refuse_stage(simdjson::error_code error, std::string_view text) {
  switch (error) {
    case simdjson::EMPTY:
      refuse("expected a JSON value, found nothing", text.size());
    case simdjson::UTF8_ERROR: {
      const std::size_t bad = serializers::first_invalid_utf8(text);
      refuse("not UTF-8; encode the text as UTF-8", bad == serializers::kValidUtf8 ? 0 : bad);
    }
    case simdjson::UNCLOSED_STRING:
    case simdjson::UNESCAPED_CHARS:
      refuse_strings(text);
    default:
      throw sdk::Error(TENON_ERR_INTERNAL, std::string("simdjson: ") + simdjson::error_message(error));
  }
}

}  // namespace

TokenIndex::TokenIndex() : stage_(std::make_unique<Stage>()) {}
TokenIndex::~TokenIndex() = default;

void TokenIndex::make_room(std::size_t size) {
  const bool wasteful = stage_->capacity > kKept && size < stage_->capacity / 4;
  small_in_a_row_ = wasteful ? small_in_a_row_ + 1 : 0;
  if (stage_->capacity != 0 && size <= stage_->capacity && small_in_a_row_ < kPatience) return;
  small_in_a_row_ = 0;
  std::size_t capacity = kSmallest;
  while (capacity < size) capacity *= 2;
  capacity = std::min(capacity, kLargest);
  const simdjson::error_code error =
      stage_->parser == nullptr
          ? simdjson::get_active_implementation()->create_dom_parser_implementation(capacity, 1, stage_->parser)
          : stage_->parser->set_capacity(capacity);
  stage_->capacity = error == simdjson::SUCCESS ? capacity : 0;
  if (error != simdjson::SUCCESS) throw std::bad_alloc();
}

Tokens TokenIndex::build(std::string_view text) {
  if (text.size() > kLargest) {
    throw sdk::Error(TENON_ERR_EXHAUSTED, "a JSON text may have at most 4 GiB; send the payload in parts",
                     TENON_FAULT_CALLER);
  }
  if (stage_->capacity == 0 || text.size() > stage_->capacity || stage_->capacity > kKept) make_room(text.size());
  auto& parser = *stage_->parser;
  const auto* octets = reinterpret_cast<const std::uint8_t*>(text.data());
  const simdjson::error_code error = parser.stage1(octets, text.size(), simdjson::stage1_mode::regular);
  if (error != simdjson::SUCCESS) refuse_stage(error, text);
  std::uint32_t* offsets = parser.structural_indexes.get();
  const std::uint32_t count = parser.n_structural_indexes;
  offsets[count] = static_cast<std::uint32_t>(text.size());  // the allocation has room for a sentinel
  return {text, offsets, offsets + count};
}

}  // namespace tenon::json_plugin
