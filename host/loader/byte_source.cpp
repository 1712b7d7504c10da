#include "loader/byte_source.hpp"

#include <cerrno>
#include <cstring>
#include <string>

#include <unistd.h>

namespace tenon::loader {
namespace {

Error ended(std::uint64_t offset) {
  return Error(errc::bad_data,
               "the file ends before byte " + std::to_string(offset) + ": it is incomplete, copy it again",
               fault::plugin);
}

}  // namespace

Status FileSource::read(std::uint64_t offset, std::span<std::byte> out) const {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = ::pread(fd_, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error::from_errno(errno, "read the plugin file");
    if (got == 0) return ended(offset + out.size());
    done += static_cast<std::size_t>(got);
  }
  return {};
}

Status MemorySource::read(std::uint64_t offset, std::span<std::byte> out) const {
  if (offset > bytes_.size() || out.size() > bytes_.size() - offset) return ended(offset + out.size());
  if (!out.empty()) std::memcpy(out.data(), bytes_.data() + offset, out.size());
  return {};
}

}  // namespace tenon::loader
