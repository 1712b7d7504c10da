#include "cli/response_reader.hpp"

#include <algorithm>
#include <charconv>

#include "common/text.hpp"

namespace tenon::cli {

namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::optional<std::uint64_t> number(std::string_view text, int base) {
  std::uint64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

const std::string* ResponseHead::find(std::string_view name) const noexcept {
  for (const auto& [key, value] : fields) {
    if (key == name) return &value;
  }
  return nullptr;
}

bool ResponseReader::fail() {
  state_ = State::failed;
  return false;
}

void ResponseReader::feed(std::string_view bytes) {
  input_ += bytes;
  bool progress = true;
  while (progress && (state_ == State::head || state_ == State::body)) {
    progress = state_ == State::head ? read_head() : read_body();
  }
}

void ResponseReader::end() {
  if (state_ == State::body && framing_ == Framing::until_end) state_ = State::done;
  if (state_ != State::done) fail();
}

bool ResponseReader::read_head() {
  const std::size_t end = input_.find("\r\n\r\n");
  if (end == input_.npos) return input_.size() <= kMaxHead ? false : fail();
  if (!parse_head(std::string_view(input_).substr(0, end))) return fail();
  input_.erase(0, end + 4);
  if (head_.status >= 100 && head_.status < 200) {  // an interim answer; the real one follows
    head_ = {};
    return true;
  }
  return decide_framing();
}

bool ResponseReader::parse_head(std::string_view text) {
  const std::size_t first = text.find("\r\n");
  const std::string_view line = text.substr(0, first);
  if (!line.starts_with("HTTP/1.") || line.size() < 12) return false;
  const auto status = number(line.substr(9, 3), 10);
  if (!status) return false;
  head_.status = static_cast<int>(*status);
  if (first == text.npos) return true;
  for (std::string_view field : split(text.substr(first + 2), '\n')) {
    const std::size_t colon = field.find(':');
    if (colon == field.npos) return false;
    head_.fields.emplace_back(lower(field.substr(0, colon)), trim(field.substr(colon + 1)));
  }
  return true;
}

bool ResponseReader::decide_framing() {
  state_ = State::body;
  if (const std::string* coding = head_.find("transfer-encoding")) {
    if (lower(*coding) != "chunked") return fail();
    framing_ = Framing::chunked;
  } else if (const std::string* length = head_.find("content-length")) {
    const auto size = number(*length, 10);
    if (!size) return fail();
    framing_ = Framing::length;
    left_ = *size;
    if (left_ == 0) state_ = State::done;
  }
  return true;
}

bool ResponseReader::read_body() {
  if (framing_ == Framing::chunked) return read_chunk();
  if (input_.empty()) return false;
  const std::size_t size = framing_ == Framing::until_end
                               ? input_.size()
                               : static_cast<std::size_t>(std::min<std::uint64_t>(left_, input_.size()));
  body_.append(input_, 0, size);
  input_.erase(0, size);
  if (framing_ == Framing::length && (left_ -= size) == 0) state_ = State::done;
  return true;
}

// One step: a size line, a piece of a chunk, the line end after it, or a trailer line.
bool ResponseReader::read_chunk() {
  if (in_chunk_ && left_ > 0) {
    if (input_.empty()) return false;
    const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input_.size()));
    body_.append(input_, 0, size);
    input_.erase(0, size);
    left_ -= size;
    return true;
  }
  const std::size_t end = input_.find("\r\n");
  if (end == input_.npos) return input_.size() <= kMaxHead ? false : fail();
  const std::string line = input_.substr(0, end);
  input_.erase(0, end + 2);
  if (in_trailer_) {
    if (line.empty()) state_ = State::done;
  } else if (in_chunk_) {
    if (!line.empty()) return fail();
    in_chunk_ = false;
  } else {
    const auto size = number(trim(std::string_view(line).substr(0, line.find(';'))), 16);
    if (!size) return fail();
    left_ = *size;
    in_chunk_ = left_ > 0;
    in_trailer_ = left_ == 0;
  }
  return true;
}

}  // namespace tenon::cli
