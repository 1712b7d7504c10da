#include "app/start_digest.hpp"

#include <concepts>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "loader/content_digest.hpp"

namespace tenon::app {

namespace {

// Lengths and presence are part of what is hashed, so that no two different values run together into one.
class FieldHash {
 public:
  template <std::integral T>
  void add(T value) {
    hash_.update(std::as_bytes(std::span(&value, 1)));
  }
  void add(double value) { hash_.update(std::as_bytes(std::span(&value, 1))); }
  void add(const std::string& text) {
    add(text.size());
    hash_.update(std::as_bytes(std::span(text)));
  }
  template <class T>
  void add(const std::vector<T>& values) {
    add(values.size());
    for (const T& value : values) add(value);
  }
  template <class T>
  void add(const std::optional<T>& value) {
    add(value.has_value());
    if (value) add(*value);
  }
  std::uint64_t result() const {
    const loader::Digest digest = hash_.digest();
    std::uint64_t number = 0;
    std::memcpy(&number, digest.data(), sizeof number);
    return std::uint64_t{kStartDigestVersion} << 56 | number >> 8;
  }

 private:
  loader::ContentHash hash_;
};

}  // namespace

std::uint64_t start_digest(const runtime::ProcessConfig& process, const integration::WorkerConfig& worker) {
  FieldHash hash;
  hash.add(process.argv), hash.add(process.cwd);
  if (process.shared_env) hash.add(*process.shared_env);
  hash.add(process.env);
  hash.add(process.uid), hash.add(process.gid), hash.add(process.groups);
  hash.add(process.umask), hash.add(process.nice), hash.add(process.no_new_privileges);
  hash.add(process.capabilities), hash.add(process.private_tmp), hash.add(process.io_priority);
  const runtime::ResourceLimits& limits = process.limits;
  hash.add(limits.memory_bytes), hash.add(limits.cpu), hash.add(limits.processes);
  hash.add(limits.open_files), hash.add(limits.core_bytes);
  hash.add(static_cast<int>(process.ready.on)), hash.add(process.notify);
  hash.add(process.sockets.size());
  for (const runtime::SocketConfig& socket : process.sockets) {
    hash.add(socket.name), hash.add(socket.address), hash.add(socket.port), hash.add(socket.path);
    hash.add(socket.inherit), hash.add(static_cast<int>(socket.kind)), hash.add(socket.backlog), hash.add(socket.mode);
  }
  const integration::ChannelConfig& channel = worker.channel;
  hash.add(static_cast<int>(channel.kind)), hash.add(static_cast<int>(channel.framing));
  hash.add(channel.serializer), hash.add(channel.max_event), hash.add(channel.data_as_bytes);
  hash.add(static_cast<int>(worker.delivery.mode));
  return hash.result();
}

}  // namespace tenon::app
