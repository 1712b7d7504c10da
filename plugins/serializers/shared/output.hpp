// Appends to the host's growing buffer. A failure to grow is an sdk::Error, as everywhere in a plugin's code.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include <tenon/sdk/serializer.hpp>

namespace tenon::serializers {

class Output {
 public:
  explicit Output(tenon_buffer& buffer) noexcept : buffer_(&buffer) {}

  // Room for `size` more octets, to be filled and then confirmed with commit().
  char* room(std::size_t size) {
    if (buffer_->capacity - buffer_->size < size) grow(size);
    return reinterpret_cast<char*>(buffer_->data) + buffer_->size;
  }
  void commit(std::size_t size) noexcept { buffer_->size += size; }

  void put(char octet) {
    *room(1) = octet;
    commit(1);
  }
  void append(std::string_view octets) {
    char* to = room(octets.size());
    if (!octets.empty()) std::memcpy(to, octets.data(), octets.size());
    commit(octets.size());
  }
  // What a library's writer calls.
  void write(const char* octets, std::size_t size) { append({octets, size}); }

  std::size_t size() const noexcept { return buffer_->size; }
  void resize(std::size_t size) noexcept { buffer_->size = size; }
  char* at(std::size_t offset) noexcept { return reinterpret_cast<char*>(buffer_->data) + offset; }

 private:
  [[gnu::noinline]] void grow(std::size_t size) {
    if (buffer_->grow(buffer_, size) != TENON_OK) {
      throw sdk::Error(TENON_ERR_EXHAUSTED,
                       "the encoded event exceeds the host's size limit; raise max_event or send less",
                       TENON_FAULT_CALLER);
    }
  }

  tenon_buffer* buffer_;
};

}  // namespace tenon::serializers
