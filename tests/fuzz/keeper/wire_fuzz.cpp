// Any bytes as a packet on the link between keeper and engine, with any number of descriptors, small or as a sealed
// file. What is accepted is exactly what encode makes of the message.
//
// The first octet of the input says how the packet arrives: its two lowest bits are the number of descriptors that come
// along, the third says that what stands behind the header comes as a sealed memory file.
#include "keeper/wire.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

#include "fuzz/must.hpp"

namespace {

using tenon::unique_fd;
using tenon::fuzz::must;

unique_fd sealed_file(std::span<const std::byte> octets) {
  unique_fd file(::memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  must(file.valid(), "this machine has memory files");
  must(::write(file.get(), octets.data(), octets.size()) == static_cast<ssize_t>(octets.size()), "a file takes it all");
  ::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
  return file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace keeper = tenon::keeper;
  if (size == 0) return 0;
  static const unique_fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const std::uint8_t how = data[0];
  std::span<const std::byte> packet = std::as_bytes(std::span(data + 1, size - 1));
  std::vector<unique_fd> descriptors;
  if ((how & 4) != 0 && packet.size() > keeper::kHeaderBytes) {
    descriptors.push_back(sealed_file(packet.subspan(keeper::kHeaderBytes)));
    packet = packet.first(keeper::kHeaderBytes);
  }
  for (int i = how & 3; i > 0; --i) descriptors.emplace_back(::fcntl(null.get(), F_DUPFD_CLOEXEC, 3));
  const std::size_t came = descriptors.size();

  auto decoded = keeper::decode(packet, std::move(descriptors));
  if (!decoded.ok()) {
    must(decoded.error().code == tenon::errc::bad_data && !decoded.error().message.empty(), "a refusal says why");
    return 0;
  }
  const auto encoded = keeper::encode(std::move(decoded->message), decoded->sequence);
  must(encoded.ok(), "what was decoded can be encoded");
  must(encoded->descriptors.size() == came, "no descriptor is lost or made");
  must(std::equal(packet.begin(), packet.end(), encoded->bytes.begin(), encoded->bytes.end()),
       "decode accepts only what encode makes");
  return 0;
}
