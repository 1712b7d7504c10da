// Builds the node table from RapidJSON's events. RapidJSON tells where an event ends, not where it began; that
// follows from the end of the event before it, as only white space, comments and one separator can lie between.
#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include <rapidjson/reader.h>

#include "common/json_tree.hpp"
#include "common/text.hpp"

namespace tenon::detail {

namespace {

// Over a text without NUL bytes. Not RapidJSON's own StringStream: the reader copies that into a local while it reads a
// string, and Tell() would then lag behind.
struct TextStream {
  using Ch = char;
  const char* begin;
  const char* current;

  char Peek() const noexcept { return *current; }
  char Take() noexcept { return *current++; }
  std::size_t Tell() const noexcept { return static_cast<std::size_t>(current - begin); }
  // Writing is for in-situ parsing only; the reader wants the names.
  char* PutBegin() noexcept { return nullptr; }
  void Put(char) noexcept {}
  void Flush() noexcept {}
  std::size_t PutEnd(char*) noexcept { return 0; }
};

bool is_separator(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',' || c == ':';
}

// The start of the token after `at`, in text that has already been accepted.
std::size_t next_token(std::string_view text, std::size_t at) noexcept {
  while (at < text.size()) {
    if (is_separator(text[at])) {
      ++at;
    } else if (text[at] == '/' && text[at + 1] == '/') {
      at = std::min(text.find('\n', at), text.size());
    } else if (text[at] == '/') {
      at = text.find("*/", at + 2) + 2;
    } else {
      break;
    }
  }
  return at;
}

struct Refusal {
  std::size_t offset;
  errc code;
  std::string sentence;
};

class Builder {
 public:
  Builder(JsonTree& tree, const TextStream& stream, std::uint32_t max_depth)
      : tree_(tree), stream_(stream), max_depth_(max_depth), last_end_(stream.Tell()) {}

  bool Null() { return scalar(JsonKind::null), true; }
  bool Bool(bool b) { return scalar(JsonKind::boolean).boolean = b, true; }
  bool Int(int i) { return Int64(i); }
  bool Uint(unsigned u) { return Int64(u); }
  bool Int64(std::int64_t i) { return scalar(JsonKind::integer).i64 = i, true; }
  bool Uint64(std::uint64_t u) {
    JsonNode& node = scalar(JsonKind::integer);
    node.u64 = u;
    node.above_i64 = u > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    return true;
  }
  bool Double(double approximate) {
    JsonNode& node = scalar(JsonKind::number);
    node.number = approximate;
    // RapidJSON's fast conversion may be off by a few units in the last place; the library's is exact. It leaves the
    // value alone where the text underflows, and overflow was refused before.
    double exact = 0;
    const auto [end, error] = std::from_chars(tree_.text.data() + node.begin, tree_.text.data() + node.end, exact);
    if (error == std::errc()) node.number = exact;
    return true;
  }
  bool RawNumber(const char*, rapidjson::SizeType, bool) { return false; }  // only with a flag that is not used

  bool String(const char* data, rapidjson::SizeType size, bool) {
    JsonNode& node = scalar(JsonKind::string);
    const std::uint32_t begin = node.begin;
    const std::string_view stored = store(data, size, begin);
    node.string = stored.data();
    node.size = size;
    return check_unescaped(stored, begin);
  }

  bool Key(const char* data, rapidjson::SizeType size, bool) {
    const std::size_t begin = next_token(tree_.text, last_end_);
    last_end_ = stream_.Tell();
    key_offset_ = static_cast<std::uint32_t>(begin);
    key_ = store(data, size, begin);
    has_key_ = true;
    return check_unescaped(key_, begin);
  }

  bool StartObject() { return open(JsonKind::object); }
  bool StartArray() { return open(JsonKind::array); }
  bool EndObject(rapidjson::SizeType count) { return close(count) && no_duplicate_keys(); }
  bool EndArray(rapidjson::SizeType count) { return close(count); }

  const std::optional<Refusal>& refusal() const noexcept { return refusal_; }

 private:
  bool refuse(std::size_t offset, errc code, std::string sentence) {
    refusal_ = Refusal{offset, code, std::move(sentence)};
    return false;
  }

  JsonNode& add(JsonKind kind, std::size_t begin, std::size_t end) {
    JsonNode& node = tree_.nodes.emplace_back();
    node.kind = kind;
    node.begin = static_cast<std::uint32_t>(begin);
    node.end = static_cast<std::uint32_t>(end);
    if (!open_.empty()) node.parent = open_.back();
    if (has_key_) {
      node.key_data = key_.data();
      node.key_size = static_cast<std::uint32_t>(key_.size());
      node.key_offset = key_offset_;
      has_key_ = false;
    }
    pending_.push_back(static_cast<std::uint32_t>(tree_.nodes.size() - 1));
    last_end_ = end;
    return node;
  }

  JsonNode& scalar(JsonKind kind) { return add(kind, next_token(tree_.text, last_end_), stream_.Tell()); }

  bool open(JsonKind kind) {
    const std::size_t begin = stream_.Tell();  // the bracket itself is taken after the event
    if (open_.size() >= max_depth_) {
      return refuse(begin, errc::exhausted, "nested deeper than " + std::to_string(max_depth_) +
                                                " levels of objects and arrays, expected a flatter document");
    }
    add(kind, begin, begin + 1);
    open_.push_back(pending_.back());
    return true;
  }

  bool close(rapidjson::SizeType count) {
    const std::uint32_t id = open_.back();
    open_.pop_back();
    JsonNode& node = tree_.nodes[id];
    node.end = static_cast<std::uint32_t>(stream_.Tell() + 1);
    last_end_ = node.end;
    node.size = count;
    node.first_child = tree_.children.size();
    closed_ = id;
    const std::size_t first = pending_.size() - count;
    for (std::uint32_t i = 0; i < count; ++i) {
      tree_.nodes[pending_[first + i]].index = i;
      tree_.children.push_back(pending_[first + i]);
    }
    pending_.resize(first);
    return true;
  }

  // Sorting keeps a hostile object of a million keys at n log n.
  bool no_duplicate_keys() {
    const JsonNode& object = tree_.nodes[closed_];
    sorted_.assign(tree_.children.begin() + static_cast<std::ptrdiff_t>(object.first_child), tree_.children.end());
    const auto& nodes = tree_.nodes;
    std::sort(sorted_.begin(), sorted_.end(), [&nodes](std::uint32_t a, std::uint32_t b) {
      const int order = nodes[a].key().compare(nodes[b].key());
      return order != 0 ? order < 0 : a < b;
    });
    const auto same = [&nodes](std::uint32_t a, std::uint32_t b) { return nodes[a].key() == nodes[b].key(); };
    const auto twin = std::adjacent_find(sorted_.begin(), sorted_.end(), same);
    if (twin == sorted_.end()) return true;
    const JsonNode& first = nodes[twin[0]];
    const JsonNode& second = nodes[twin[1]];
    const std::string line = std::to_string(tree_.position_of(first.key_offset).line);
    return refuse(second.key_offset, errc::bad_data,
                  "found the key " + quote_for_message(second.key()) +
                      " again, expected each key once (the first is on line " + line + ")");
  }

  // Where the spelling is the string itself, the text serves as storage: an escape is always longer than what it means.
  std::string_view store(const char* data, std::size_t size, std::size_t begin) {
    if (stream_.Tell() - begin == size + 2) return {tree_.text.data() + begin + 1, size};
    return tree_.unescaped.emplace_back(data, size);
  }

  // The text is valid UTF-8 as a whole, but RapidJSON 1.1 lets a lone low surrogate through as an escape.
  bool check_unescaped(std::string_view stored, std::size_t begin) {
    if (stored.data() == tree_.text.data() + begin + 1 || is_valid_utf8(stored)) return true;
    return refuse(begin, errc::bad_data,
                  "found a \\u escape of half a surrogate pair, expected a pair such as \\ud83d\\ude00");
  }

  JsonTree& tree_;
  const TextStream& stream_;
  const std::uint32_t max_depth_;
  std::size_t last_end_;
  std::vector<std::uint32_t> open_;     // containers around the next value
  std::vector<std::uint32_t> pending_;  // values whose container is not closed yet
  std::vector<std::uint32_t> sorted_;
  std::uint32_t closed_ = 0;
  bool has_key_ = false;
  std::string_view key_;
  std::uint32_t key_offset_ = 0;
  std::optional<Refusal> refusal_;
};

// The word, number, string start or punctuation at `offset`, for a person.
std::string found_at(std::string_view text, std::size_t offset) {
  if (offset >= text.size()) return "the end of the text";
  constexpr std::string_view kEnds = " \t\r\n,:[]{}\"/";
  const std::size_t first = kEnds.find(text[offset]) == kEnds.npos ? offset : offset + 1;
  std::size_t end = first == offset ? text.find_first_of(kEnds, offset) : first;
  if (text[offset] == '"') end = std::min(text.find_first_of("\"\n", first), offset + 24) + 1;
  const std::string_view token = utf8_prefix(text.substr(offset, std::min(end, text.size()) - offset), 24);
  return quote_for_message(token);
}

std::string expected_value(std::string_view text, std::size_t offset, const JsonOptions& options) {
  const char c = offset < text.size() ? text[offset] : '\0';
  const std::size_t before = text.substr(0, offset).find_last_not_of(" \t\r\n");
  if ((c == ']' || c == '}') && before != text.npos && text[before] == ',') {
    return "a value: remove the comma before it";
  }
  if (c == '\'') return "a value: strings stand in double quotes";
  if (c == '/' && !options.comments) return "a value: comments are not allowed here";
  return "a value: null, true, false, a number, a \"string\", [ or {";
}

std::string expected_key(std::string_view text, std::size_t offset) {
  const char c = offset < text.size() ? text[offset] : '\0';
  const std::size_t before = text.substr(0, offset).find_last_not_of(" \t\r\n");
  if (c == '}' && before != text.npos && text[before] == ',') return "a key: remove the comma before it";
  return "a key in double quotes, or }";
}

std::string bad_string_byte(std::string_view text, std::size_t offset) {
  // RapidJSON points behind or at the byte; the control character is the one that is there.
  for (std::size_t at : {offset, offset - 1}) {
    if (at < text.size() && static_cast<unsigned char>(text[at]) < 0x20) {
      return "found the control character " + quote_for_message(text.substr(at, 1)) +
             " in a string, expected it escaped (\\n, \\t, \\u001b), or the closing quote before it";
    }
  }
  return "found bytes that are not UTF-8, expected UTF-8";
}

std::string explain(rapidjson::ParseErrorCode code, std::string_view text, std::size_t offset,
                    const JsonOptions& options) {
  const std::string found = "found " + found_at(text, offset) + ", expected ";
  switch (code) {
    case rapidjson::kParseErrorDocumentEmpty: return "found nothing, expected a JSON value";
    case rapidjson::kParseErrorDocumentRootNotSingular: return found + "nothing more after the end of the document";
    case rapidjson::kParseErrorValueInvalid: return found + expected_value(text, offset, options);
    case rapidjson::kParseErrorObjectMissName: return found + expected_key(text, offset);
    case rapidjson::kParseErrorObjectMissColon: return found + "a colon after the key";
    case rapidjson::kParseErrorObjectMissCommaOrCurlyBracket: return found + "a comma or }";
    case rapidjson::kParseErrorArrayMissCommaOrSquareBracket: return found + "a comma or ]";
    case rapidjson::kParseErrorStringUnicodeEscapeInvalidHex:
      return "found a \\u escape without four hexadecimal digits, expected one such as \\u00e9";
    case rapidjson::kParseErrorStringUnicodeSurrogateInvalid:
      return "found a \\u escape of half a surrogate pair, expected a pair such as \\ud83d\\ude00";
    case rapidjson::kParseErrorStringEscapeInvalid:
      // RapidJSON 1.1 says this of a bare control character, too.
      if (static_cast<unsigned char>(text[offset]) < 0x20) return bad_string_byte(text, offset);
      return "found an unknown escape, expected one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX";
    case rapidjson::kParseErrorStringMissQuotationMark: return "found a string without end, expected a closing quote";
    case rapidjson::kParseErrorStringInvalidEncoding: return bad_string_byte(text, offset);
    case rapidjson::kParseErrorNumberTooBig: return "found a number above 1.8e308, expected one that a double holds";
    case rapidjson::kParseErrorNumberMissFraction: return found + "a digit after the decimal point";
    case rapidjson::kParseErrorNumberMissExponent: return found + "a digit in the exponent";
    case rapidjson::kParseErrorUnspecificSyntaxError:
      return found + "// up to the end of the line, or /* with a closing */";
    default: return found + "JSON";
  }
}

Error at(const JsonTree& tree, std::size_t offset, errc code, const std::string& sentence) {
  return Error(code, tree.where(offset) + ": " + sentence, fault::caller);
}

// NUL would end RapidJSON's reading early and silently; invalid UTF-8 in a comment would pass it.
Status check_bytes(const JsonTree& tree) {
  if (const std::size_t nul = tree.text.find('\0'); nul != std::string::npos) {
    return at(tree, nul, errc::bad_data, "found a NUL byte, expected text (write \\u0000 inside a string)");
  }
  if (const std::size_t bad = find_invalid_utf8(tree.text); bad != tree.text.size()) {
    return at(tree, bad, errc::bad_data,
              "found the byte " + quote_for_message(std::string_view(tree.text).substr(bad, 1)) +
                  ", expected UTF-8; convert the file, for instance with iconv");
  }
  return {};
}

}  // namespace

Status parse_json(JsonTree& tree, const JsonOptions& options) {
  constexpr std::size_t kLargest = 1u << 30;  // offsets are 32 bits
  const std::size_t limit = std::min(options.max_bytes, kLargest);
  if (tree.text.size() > limit) {
    return Error(errc::exhausted, tree.file_name + ": found " + std::to_string(tree.text.size()) +
                                      " bytes, expected at most " + std::to_string(limit), fault::caller);
  }
  const std::size_t start = tree.text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  tree.index_lines(start);
  TENON_TRY(check_bytes(tree));

  TextStream stream{tree.text.c_str(), tree.text.c_str() + start};
  Builder builder(tree, stream, std::max<std::uint32_t>(1, options.max_depth));
  rapidjson::Reader reader;
  constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;
  const rapidjson::ParseResult result = options.comments
                                            ? reader.Parse<kFlags | rapidjson::kParseCommentsFlag>(stream, builder)
                                            : reader.Parse<kFlags>(stream, builder);
  if (const auto& refusal = builder.refusal()) return at(tree, refusal->offset, refusal->code, refusal->sentence);
  if (result.IsError()) {
    return at(tree, result.Offset(), errc::bad_data, explain(result.Code(), tree.text, result.Offset(), options));
  }
  return {};
}

}  // namespace tenon::detail
