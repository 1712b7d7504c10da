// A file descriptor with one owner. -1 means none. Everything that opens a descriptor does so with O_CLOEXEC.
#pragma once

#include <utility>

namespace tenon {

class unique_fd {
 public:
  unique_fd() noexcept = default;
  explicit unique_fd(int fd) noexcept : fd_(fd) {}
  unique_fd(unique_fd&& other) noexcept : fd_(other.release()) {}
  unique_fd& operator=(unique_fd&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  unique_fd(const unique_fd&) = delete;
  unique_fd& operator=(const unique_fd&) = delete;
  ~unique_fd() { reset(); }

  int get() const noexcept { return fd_; }
  bool valid() const noexcept { return fd_ >= 0; }
  explicit operator bool() const noexcept { return valid(); }

  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
  // Closes what it held. Keeps errno. A descriptor that is watched by a loop must be unwatched first: the kernel
  // keeps it in epoll while a duplicate lives elsewhere.
  void reset(int fd = -1) noexcept;

  // A close-on-exec duplicate; invalid with errno set when the kernel refuses.
  unique_fd duplicate() const noexcept;

 private:
  int fd_ = -1;
};

}  // namespace tenon
