// Bytes at offsets: what the ELF reader reads from, so that files and a fuzzer's memory look the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "common/result.hpp"

namespace tenon::loader {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // As it was when the source was made.
  virtual std::uint64_t size() const noexcept = 0;
  // Fills all of `out`, or fails: errc::bad_data if the bytes end before, errc::io if the kernel refuses.
  virtual Status read(std::uint64_t offset, std::span<std::byte> out) const = 0;
};

// An open descriptor, read with pread: never mapped, because a file that somebody truncates kills whoever mapped it.
class FileSource final : public ByteSource {
 public:
  // Borrows the descriptor.
  FileSource(int fd, std::uint64_t size) noexcept : fd_(fd), size_(size) {}
  std::uint64_t size() const noexcept override { return size_; }
  Status read(std::uint64_t offset, std::span<std::byte> out) const override;

 private:
  int fd_;
  std::uint64_t size_;
};

// Memory of the caller.
class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::span<const std::byte> bytes) noexcept : bytes_(bytes) {}
  std::uint64_t size() const noexcept override { return bytes_.size(); }
  Status read(std::uint64_t offset, std::span<std::byte> out) const override;

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace tenon::loader
