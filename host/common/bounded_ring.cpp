#include "common/bounded_ring.hpp"

#include <algorithm>
#include <cstring>

namespace tenon {

namespace {
constexpr std::size_t kFirstAllocation = 256;
}

ByteRing::ByteRing(std::size_t capacity) : capacity_(std::max<std::size_t>(1, capacity)) {}

void ByteRing::append(std::string_view bytes) {
  total_ += bytes.size();
  if (bytes.size() >= capacity_) {
    const std::size_t cut = bytes.size() - capacity_;
    if (cut > 0) {
      cut_in_line_ = bytes[cut - 1] != '\n';
    } else if (size_ > 0) {
      drop_oldest(size_);
    }
    size_ = begin_ = 0;
    bytes.remove_prefix(cut);
  }
  if (size_ + bytes.size() > capacity_) drop_oldest(size_ + bytes.size() - capacity_);
  if (size_ + bytes.size() > allocated_) grow(size_ + bytes.size());
  store(bytes);
}

void ByteRing::drop_oldest(std::size_t count) noexcept {
  cut_in_line_ = data_[(begin_ + count - 1) % allocated_] != '\n';
  begin_ = (begin_ + count) % allocated_;
  size_ -= count;
}

// Doubles, and straightens the content out on the way.
void ByteRing::grow(std::size_t wanted) {
  const std::size_t next = std::min(capacity_, std::max({wanted, allocated_ * 2, kFirstAllocation}));
  auto bigger = std::make_unique_for_overwrite<char[]>(next);
  const std::size_t first = std::min(size_, allocated_ - begin_);
  if (first > 0) std::memcpy(bigger.get(), data_.get() + begin_, first);
  if (size_ > first) std::memcpy(bigger.get() + first, data_.get(), size_ - first);
  data_ = std::move(bigger);
  allocated_ = next;
  begin_ = 0;
}

void ByteRing::store(std::string_view bytes) noexcept {
  if (bytes.empty()) return;
  const std::size_t end = (begin_ + size_) % allocated_;
  const std::size_t first = std::min(bytes.size(), allocated_ - end);
  std::memcpy(data_.get() + end, bytes.data(), first);
  if (bytes.size() > first) std::memcpy(data_.get(), bytes.data() + first, bytes.size() - first);
  size_ += bytes.size();
}

void ByteRing::clear() noexcept {
  size_ = begin_ = allocated_ = 0;
  cut_in_line_ = false;
  data_.reset();
}

std::string ByteRing::slice(std::size_t from, std::size_t count) const {
  std::string out;
  if (count == 0) return out;
  out.reserve(count);
  const std::size_t start = (begin_ + from) % allocated_;
  const std::size_t first = std::min(count, allocated_ - start);
  out.append(data_.get() + start, first);
  out.append(data_.get(), count - first);
  return out;
}

std::string ByteRing::contents() const { return slice(0, size_); }

std::string ByteRing::since(std::uint64_t offset, std::uint64_t* lost) const {
  const std::uint64_t oldest = total_ - size_;
  if (lost != nullptr) *lost = offset < oldest ? oldest - offset : 0;
  const std::uint64_t from = std::clamp(offset, oldest, total_);
  return slice(static_cast<std::size_t>(from - oldest), static_cast<std::size_t>(total_ - from));
}

std::vector<std::string> ByteRing::last_lines(std::size_t count) const {
  std::vector<std::string> lines;
  if (size_ == 0 || count == 0) return lines;
  const std::string all = contents();
  std::string_view rest = all;
  if (rest.ends_with('\n')) rest.remove_suffix(1);
  for (bool more = true; more && lines.size() < count;) {
    const std::size_t feed = rest.rfind('\n');
    more = feed != std::string_view::npos;
    std::string_view line = more ? rest.substr(feed + 1) : rest;
    if (!more && cut_in_line_ && !lines.empty()) break;
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.emplace_back(line);
    if (more) rest.remove_suffix(rest.size() - feed);
  }
  std::reverse(lines.begin(), lines.end());
  return lines;
}

}  // namespace tenon
