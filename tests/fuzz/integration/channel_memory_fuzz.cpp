// What an earlier engine left in a channel's memory, whatever it is: it is refused, or its bounds can be trusted. Then
// the same octets as steps of an area's life, beside a plain model of it.
#include "integration/channel_memory.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <string>

#include "fuzz/must.hpp"

namespace {

using tenon::fuzz::must;
using tenon::integration::ChannelMemory;

constexpr std::size_t kMaxFrame = 4096;

void check_bounds(const ChannelMemory::Area& area) {
  must(area.begin() <= area.end() && area.end() <= area.capacity(), "an adopted area lies within itself");
  must(area.size() + area.begin() + area.room() == area.capacity(), "sizes add up");
}

void adopt(const std::uint8_t* data, std::size_t size) {
  auto made = ChannelMemory::make(kMaxFrame);
  must(made.ok(), "memory can be made");
  // The head, of which magic and version stand first: left as they are if the input begins with a 0.
  const std::size_t kept = size != 0 && data[0] == 0 ? 16 : 0;
  if (size > kept + 1)
    must(::pwrite(made->fd(), data + 1, std::min<std::size_t>(size - 1, 64), static_cast<off_t>(kept)) > 0, "written");
  auto adopted = ChannelMemory::adopt(tenon::unique_fd(::fcntl(made->fd(), F_DUPFD_CLOEXEC, 0)), kMaxFrame);
  if (!adopted.ok()) return must(!adopted.error().message.empty(), "a refusal says why");
  check_bounds(adopted->input());
  check_bounds(adopted->output());
  adopted->input().compact();
  adopted->output().compact();
  check_bounds(adopted->input());
  check_bounds(adopted->output());
}

void live(const std::uint8_t* data, std::size_t size) {
  auto memory = ChannelMemory::make(kMaxFrame);
  must(memory.ok(), "memory can be made");
  ChannelMemory::Area& area = memory->input();
  std::string model;
  for (std::size_t i = 0; i + 1 < size; i += 2) {
    const std::size_t amount = data[i + 1] * std::size_t{97};
    if (data[i] % 3 == 0) {
      const std::size_t more = std::min(amount, area.room());
      std::memset(area.data() + area.end(), data[i], more);
      model.append(more, static_cast<char>(data[i]));
      area.publish(area.begin(), area.end() + more);
    } else if (data[i] % 3 == 1) {
      const std::size_t less = std::min(amount, area.size());
      model.erase(0, less);
      area.publish(area.begin() + less, area.end());
    } else {
      area.compact();
    }
    check_bounds(area);
    must(std::string_view(area.data() + area.begin(), area.size()) == model, "what is left stays what it was");
    if (area.size() == 0) memory->trim();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  adopt(data, size);
  live(data, size);
  return 0;
}
