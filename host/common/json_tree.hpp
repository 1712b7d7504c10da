// What a JsonDocument keeps: the text and one node a value, in document order. Private to json_document.cpp and
// json_parser.cpp.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "common/json_document.hpp"

namespace tenon::detail {

inline constexpr std::uint32_t kNoNode = 0xFFFF'FFFF;

struct JsonNode {
  JsonKind kind = JsonKind::null;
  bool above_i64 = false;  // integer: the payload is unsigned and greater than INT64_MAX
  std::uint32_t begin = 0;
  std::uint32_t end = 0;  // half-open range of bytes in the text
  std::uint32_t parent = kNoNode;
  std::uint32_t index = 0;       // among the parent's children
  std::uint32_t key_offset = 0;  // of the key's opening quote; only with a key
  std::uint32_t key_size = 0;
  std::uint32_t size = 0;         // string: bytes; container: children
  const char* key_data = nullptr;  // null: not a member of an object
  union {
    std::int64_t i64 = 0;
    std::uint64_t u64;
    double number;
    bool boolean;
    const char* string;
    std::size_t first_child;  // index into JsonTree::children
  };

  std::string_view key() const noexcept { return {key_data, key_size}; }
};

struct JsonTree {
  std::string file_name;
  std::string text;                        // never moves: nodes point into it
  std::deque<std::string> unescaped;       // strings that differ from their spelling; stable addresses
  std::vector<JsonNode> nodes;             // nodes[0] is the root; a parent stands before its children
  std::vector<std::uint32_t> children;     // the children of one container lie side by side
  std::vector<std::uint32_t> line_starts;  // ascending; [0] is where the first line begins

  void index_lines(std::size_t first);
  JsonPosition position_of(std::size_t offset) const noexcept;
  std::string where(std::size_t offset) const;  // "file:line:column"
};

// Fills the tree's nodes from its text.
Status parse_json(JsonTree& tree, const JsonOptions& options);

}  // namespace tenon::detail
