#include "keeper/mapped_page.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon::keeper {

Result<unique_fd> make_shared_memory(const char* name, std::size_t size) {
  unique_fd fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return Error::from_errno(errno, "memfd_create for the page shared with the engine");
  if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) return Error::from_errno(errno, "size the shared page");
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    return Error::from_errno(errno, "seal the shared page");
  }
  return fd;
}

Result<void*> map_shared_memory(int fd, std::size_t size) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return Error::from_errno(errno, "look at the shared page");
  const int seals = ::fcntl(fd, F_GET_SEALS);
  if (seals < 0 || !(seals & F_SEAL_SHRINK) || info.st_size < static_cast<off_t>(size)) {
    return Error(errc::bad_data,
                 "the shared page is too small or not sealed; keeper and engine are of different versions");
  }
  void* address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (address == MAP_FAILED) return Error::from_errno(errno, "map the shared page");
  return address;
}

void unmap_shared_memory(void* address, std::size_t size) noexcept { ::munmap(address, size); }

}  // namespace tenon::keeper
