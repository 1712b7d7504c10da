#include "integration/channel_memory.hpp"

#include <cerrno>
#include <cstring>

#include <sys/mman.h>

#include "keeper/mapped_page.hpp"

namespace tenon::integration {

namespace {

constexpr std::uint32_t kMagic = 0x544e4348;  // "TNCH"
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kPage = 4096;
constexpr std::size_t kPadding = 64;  // octets that readers may look at behind the input's end

std::size_t round_to_page(std::size_t size) noexcept { return (size + kPage - 1) / kPage * kPage; }

}  // namespace

struct ChannelMemory::Header {
  std::uint32_t magic, version;
  std::uint64_t max_frame;
  std::atomic<std::uint64_t> input_bounds, output_bounds;
  std::atomic<std::uint32_t> reading, writing;
  std::atomic<std::uint64_t> skip;
};

Status ChannelMemory::map(std::size_t max_frame) {
  const std::size_t input_size = round_to_page(input_capacity(max_frame) + kPadding);
  mapped_ = kPage + input_size + round_to_page(output_capacity(max_frame));
  Result<void*> address = keeper::map_shared_memory(fd_.get(), mapped_);
  if (!address.ok()) return std::move(address).error();
  header_ = static_cast<Header*>(*address);
  char* base = static_cast<char*>(*address);
  input_.data_ = base + kPage;
  input_.capacity_ = input_capacity(max_frame);
  input_.bounds_ = &header_->input_bounds;
  input_.uncertain_ = &header_->reading;
  output_.data_ = base + kPage + input_size;
  output_.capacity_ = output_capacity(max_frame);
  output_.bounds_ = &header_->output_bounds;
  output_.uncertain_ = &header_->writing;
  return {};
}

Result<ChannelMemory> ChannelMemory::make(std::size_t max_frame) {
  ChannelMemory memory;
  const std::size_t size = kPage + round_to_page(input_capacity(max_frame) + kPadding) +
                           round_to_page(output_capacity(max_frame));
  Result<unique_fd> fd = keeper::make_shared_memory("tenon-channel", size);
  if (!fd.ok()) return std::move(fd).error();
  memory.fd_ = std::move(*fd);
  TENON_TRY(memory.map(max_frame));
  memory.header_->version = kVersion;
  memory.header_->max_frame = max_frame;
  memory.header_->magic = kMagic;
  return memory;
}

Result<ChannelMemory> ChannelMemory::adopt(unique_fd fd, std::size_t max_frame) {
  ChannelMemory memory;
  memory.fd_ = std::move(fd);
  TENON_TRY(memory.map(max_frame));
  const Header& header = *memory.header_;
  const auto sound = [](const Area& area) { return area.begin() <= area.end() && area.end() <= area.capacity(); };
  if (header.magic != kMagic || header.version != kVersion || header.max_frame != max_frame || !sound(memory.input_) ||
      !sound(memory.output_))
    return Error(errc::bad_data, "the channel's memory was laid out for another max_event or by another version");
  return memory;
}

ChannelMemory::ChannelMemory(ChannelMemory&& other) noexcept
    : fd_(std::move(other.fd_)), header_(std::exchange(other.header_, nullptr)), mapped_(other.mapped_),
      input_(other.input_), output_(other.output_) {}

ChannelMemory& ChannelMemory::operator=(ChannelMemory&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(header_, other.header_);
  std::swap(mapped_, other.mapped_);
  std::swap(input_, other.input_);
  std::swap(output_, other.output_);
  return *this;
}

ChannelMemory::~ChannelMemory() {
  if (header_ != nullptr) keeper::unmap_shared_memory(header_, mapped_);
}

void ChannelMemory::Area::compact() noexcept {
  const std::size_t from = begin(), to = end();
  if (from == 0) return;
  if (to - from > from) return;  // would overlap
  std::memcpy(data_, data_ + from, to - from);
  publish(0, to - from);
}

std::uint64_t ChannelMemory::skip() const noexcept { return header_->skip.load(std::memory_order_relaxed); }
void ChannelMemory::set_skip(std::uint64_t octets) noexcept { header_->skip.store(octets, std::memory_order_relaxed); }

void ChannelMemory::trim() noexcept {
  for (const Area* area : {&input_, &output_}) {
    if (area->size() != 0 || area->capacity() <= kKept) continue;
    const std::size_t size = (area->capacity() - kKept) / kPage * kPage;
    ::madvise(area->data() + kKept, size, MADV_REMOVE);  // a failure only means that the pages stay
  }
}

}  // namespace tenon::integration
