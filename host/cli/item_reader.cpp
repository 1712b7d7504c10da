#include "cli/item_reader.hpp"

#include <algorithm>
#include <utility>

namespace tenon::cli {

std::vector<StreamItem> ItemReader::feed(std::string_view bytes) {
  std::vector<StreamItem> items;
  input_ += bytes;
  std::size_t begin = 0;
  for (std::size_t end; (end = input_.find('\n', std::max(begin, looked_at_))) != input_.npos; begin = end + 1) {
    std::string_view text = std::string_view(input_).substr(begin, end - begin);
    if (text.ends_with('\r')) text.remove_suffix(1);
    line(text, items);
  }
  input_.erase(0, begin);
  looked_at_ = input_.size();
  return items;
}

void ItemReader::line(std::string_view text, std::vector<StreamItem>& items) {
  if (framing_ == Framing::lines) {
    if (!text.empty()) items.push_back({{}, std::string(text)});
    return;
  }
  if (text.empty()) {
    if (std::exchange(has_data_, false)) items.push_back(std::move(current_));
    current_ = {};
    return;
  }
  const std::size_t colon = text.find(':');
  if (colon == 0) return;  // a comment
  const std::string_view field = text.substr(0, colon);
  std::string_view value = colon == text.npos ? std::string_view() : text.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "event") current_.event = value;
  if (field != "data") return;
  if (std::exchange(has_data_, true)) current_.data += '\n';
  current_.data += value;
}

}  // namespace tenon::cli
