// A struct in memory that two processes share: a sealed memfd, mapped. T must mean something when all its bytes are
// zero.
#pragma once

#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>

#include "common/result.hpp"
#include "common/unique_fd.hpp"

namespace tenon::keeper {

// A memfd of `size` zero bytes that nobody can shrink or grow: a peer that could shrink it could kill us with SIGBUS.
Result<unique_fd> make_shared_memory(const char* name, std::size_t size);
// Maps exactly `size` bytes, shared and writable. errc::bad_data if the file is smaller or can still shrink.
Result<void*> map_shared_memory(int fd, std::size_t size);
void unmap_shared_memory(void* address, std::size_t size) noexcept;

template <class T>
class MappedPage {
  static_assert(std::is_standard_layout_v<T> && std::is_trivially_destructible_v<T>);

 public:
  MappedPage() = default;
  static Result<MappedPage> map(int fd) {
    auto address = map_shared_memory(fd, sizeof(T));
    if (!address) return std::move(address).error();
    return MappedPage(static_cast<T*>(*address));
  }
  MappedPage(MappedPage&& other) noexcept : page_(std::exchange(other.page_, nullptr)) {}
  MappedPage& operator=(MappedPage&& other) noexcept {
    std::swap(page_, other.page_);
    return *this;
  }
  ~MappedPage() {
    if (page_) unmap_shared_memory(page_, sizeof(T));
  }

  T* get() const noexcept { return page_; }  // null: nothing mapped
  T* operator->() const noexcept { return page_; }
  T& operator*() const noexcept { return *page_; }

 private:
  explicit MappedPage(T* page) : page_(page) {}
  T* page_ = nullptr;
};

}  // namespace tenon::keeper
