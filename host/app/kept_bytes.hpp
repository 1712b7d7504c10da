// Bytes in memory that the keeper holds too, by a descriptor: they lie on the machine once, not once in each process.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/result.hpp"
#include "common/unique_fd.hpp"

namespace tenon::app {

// Copies share the memory, which nobody can change any more. [any]
class KeptBytes {
 public:
  KeptBytes() = default;  // none: read() fails
  static Result<KeptBytes> make(std::string_view bytes);
  // What the keeper handed over.
  explicit KeptBytes(unique_fd memory) : memory_(std::make_shared<const unique_fd>(std::move(memory))) {}

  // For the keeper; −1: none.
  int descriptor() const noexcept { return memory_ ? memory_->get() : -1; }
  Result<std::string> read() const;

 private:
  std::shared_ptr<const unique_fd> memory_;
};

}  // namespace tenon::app
