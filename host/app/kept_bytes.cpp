#include "app/kept_bytes.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/system.hpp"

namespace tenon::app {

Result<KeptBytes> KeptBytes::make(std::string_view bytes) {
  unique_fd memory(::memfd_create("tenon-kept", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!memory) return Error::from_errno(errno, "make memory to share with the keeper");
  TENON_TRY(write_all(memory.get(), bytes, "memory shared with the keeper"));
  if (::fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0)
    return Error::from_errno(errno, "seal the memory shared with the keeper");
  return KeptBytes(std::move(memory));
}

Result<std::string> KeptBytes::read() const {
  struct stat info {};
  if (::fstat(descriptor(), &info) != 0) return Error::from_errno(errno, "look at what the keeper kept");
  std::string bytes(static_cast<std::size_t>(info.st_size), '\0');
  for (std::size_t have = 0; have < bytes.size();) {
    // At a place of its own: whoever else holds the memory shares the descriptor's position.
    const ssize_t size = ::pread(descriptor(), bytes.data() + have, bytes.size() - have, static_cast<off_t>(have));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return Error::from_errno(errno, "read what the keeper kept");
    if (size == 0) return Error(errc::bad_data, "what the keeper kept became shorter while it was read");
    have += static_cast<std::size_t>(size);
  }
  return bytes;
}

}  // namespace tenon::app
