// The last N bytes of a stream, and the lines in them: a process's log tail.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tenon {

// Memory grows with the content up to `capacity` and never beyond, so that ten thousand silent processes cost nothing.
// Not thread-safe.
class ByteRing {
 public:
  explicit ByteRing(std::size_t capacity);  // at least 1

  // Keeps the last capacity() bytes of everything appended.
  void append(std::string_view bytes);
  void clear() noexcept;

  std::size_t size() const noexcept { return size_; }
  std::size_t capacity() const noexcept { return capacity_; }
  // Bytes ever appended; the ring holds those from total() - size() on. A follower keeps the last value it saw.
  std::uint64_t total() const noexcept { return total_; }

  std::string contents() const;
  // What was appended since `offset` (a former total()) and is still held. `lost`, if wanted, gets the bytes that are
  // not.
  std::string since(std::uint64_t offset, std::uint64_t* lost = nullptr) const;
  // The last `count` lines without their line feeds (and without a CR before them), oldest first. A first line whose
  // beginning was overwritten is left out unless it is all there is; an unfinished last line counts as a line.
  std::vector<std::string> last_lines(std::size_t count) const;

 private:
  void grow(std::size_t wanted);
  void drop_oldest(std::size_t count) noexcept;
  void store(std::string_view bytes) noexcept;
  std::string slice(std::size_t from, std::size_t count) const;

  std::size_t capacity_;
  std::size_t allocated_ = 0;
  std::size_t begin_ = 0;  // index of the oldest byte
  std::size_t size_ = 0;
  std::uint64_t total_ = 0;
  bool cut_in_line_ = false;  // the byte before the oldest one is gone and was no line feed
  std::unique_ptr<char[]> data_;
};

}  // namespace tenon
