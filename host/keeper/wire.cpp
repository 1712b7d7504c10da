#include "keeper/wire.hpp"

#include <cerrno>
#include <concepts>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <type_traits>
#include <unistd.h>

#include "keeper/wire_fields.hpp"

namespace tenon::keeper {
namespace {

constexpr std::uint16_t kPayloadInMemfd = 1;
constexpr int kPayloadSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

template <class T> struct is_optional : std::false_type {};
template <class T> struct is_optional<std::optional<T>> : std::true_type {};
template <class T> struct is_vector : std::false_type {};
template <class T> struct is_vector<std::vector<T>> : std::true_type {};
template <class T> struct is_duration : std::false_type {};
template <class R, class P> struct is_duration<std::chrono::duration<R, P>> : std::true_type {};

// Both archives walk a message in the same order: one function per kind of field, told apart here once.
template <class Self>
class Archive {
 public:
  template <class T>
  Self& operator()(T& value) {
    Self& self = static_cast<Self&>(*this);
    if constexpr (std::is_same_v<T, bool>) {
      self.flag(value);
    } else if constexpr (std::is_enum_v<T>) {
      self.enumerator(value);
    } else if constexpr (std::integral<T>) {
      self.number(value);
    } else if constexpr (is_duration<T>::value) {
      self.duration(value);
    } else if constexpr (std::is_same_v<T, std::string>) {
      self.text(value);
    } else if constexpr (std::is_same_v<T, unique_fd>) {
      self.descriptor(value);
    } else if constexpr (is_optional<T>::value) {
      self.optional(value);
    } else if constexpr (is_vector<T>::value) {
      self.list(value);
    } else if constexpr (requires { value.fields(self); }) {
      value.fields(self);
    } else {
      wire::fields(self, value);
    }
    return self;
  }
};

class Writer : public Archive<Writer> {
 public:
  std::vector<std::byte> bytes;
  std::vector<unique_fd> descriptors;

  template <class T>
  void number(T value) {
    auto raw = static_cast<std::make_unsigned_t<T>>(value);
    for (std::size_t i = 0; i < sizeof(T); ++i) bytes.push_back(static_cast<std::byte>(raw >> (8 * i) & 0xff));
  }
  void flag(bool value) { number<std::uint8_t>(value ? 1 : 0); }
  template <class E> void enumerator(E value) { number(static_cast<std::underlying_type_t<E>>(value)); }
  template <class D> void duration(D value) { number<std::int64_t>(value.count()); }
  void text(const std::string& value) {
    number(static_cast<std::uint32_t>(std::min<std::size_t>(value.size(), UINT32_MAX)));
    const auto* data = reinterpret_cast<const std::byte*>(value.data());
    bytes.insert(bytes.end(), data, data + value.size());
  }
  void descriptor(unique_fd& value) {
    flag(value.valid());
    if (value) descriptors.push_back(std::move(value));
  }
  template <class T> void optional(std::optional<T>& value) {
    flag(value.has_value());
    if (value) (*this)(*value);
  }
  template <class T> void list(std::vector<T>& values) {
    number(static_cast<std::uint32_t>(std::min<std::size_t>(values.size(), UINT32_MAX)));
    for (auto& value : values) (*this)(value);
  }
};

// After the first failure every read yields the default, and lists end.
class Reader : public Archive<Reader> {
 public:
  Reader(std::span<const std::byte> bytes, std::vector<unique_fd>& descriptors, std::size_t first_descriptor)
      : left_(bytes), descriptors_(descriptors), next_descriptor_(first_descriptor) {}

  bool complete() const { return ok_ && left_.empty() && next_descriptor_ == descriptors_.size(); }

  template <class T>
  void number(T& value) {
    value = 0;
    if (left_.size() < sizeof(T)) return fail();
    std::make_unsigned_t<T> raw = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      raw |= static_cast<std::make_unsigned_t<T>>(static_cast<std::make_unsigned_t<T>>(left_[i]) << (8 * i));
    }
    value = static_cast<T>(raw);
    left_ = left_.subspan(sizeof(T));
  }
  void flag(bool& value) {
    std::uint8_t raw = 0;
    number(raw);
    if (raw > 1) fail();
    value = raw == 1;
  }
  template <class E> void enumerator(E& value) {
    std::underlying_type_t<E> raw = 0;
    number(raw);
    if (raw > static_cast<std::underlying_type_t<E>>(wire::last_of(E{}))) raw = 0, fail();
    value = static_cast<E>(raw);
  }
  template <class D> void duration(D& value) {
    std::int64_t raw = 0;
    number(raw);
    value = D(raw);
  }
  void text(std::string& value) {
    std::uint32_t size = 0;
    number(size);
    if (size > left_.size()) return fail();
    value.assign(reinterpret_cast<const char*>(left_.data()), size);
    left_ = left_.subspan(size);
  }
  void descriptor(unique_fd& value) {
    bool present = false;
    flag(present);
    if (!present) return;
    if (next_descriptor_ >= descriptors_.size()) return fail();
    value = std::move(descriptors_[next_descriptor_++]);
  }
  template <class T> void optional(std::optional<T>& value) {
    bool present = false;
    flag(present);
    if (present) (*this)(value.emplace());
  }
  // Grows with what was really read, so a claimed count allocates nothing by itself.
  template <class T> void list(std::vector<T>& values) {
    std::uint32_t count = 0;
    number(count);
    if (count > left_.size()) return fail();
    for (std::uint32_t i = 0; i < count && ok_; ++i) (*this)(values.emplace_back());
  }

 private:
  void fail() { ok_ = false; }

  std::span<const std::byte> left_;
  std::vector<unique_fd>& descriptors_;
  std::size_t next_descriptor_;
  bool ok_ = true;
};

Result<unique_fd> payload_file(std::span<const std::byte> payload) {
  unique_fd file(::memfd_create("tenon-message", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file) return Error::from_errno(errno, "memfd_create for a large message");
  for (std::size_t done = 0; done < payload.size();) {
    const ssize_t n = ::write(file.get(), payload.data() + done, payload.size() - done);
    if (n < 0 && errno != EINTR) return Error::from_errno(errno, "fill the memory of a large message");
    if (n > 0) done += static_cast<std::size_t>(n);
  }
  if (::fcntl(file.get(), F_ADD_SEALS, kPayloadSeals) != 0) return Error::from_errno(errno, "seal a large message");
  return file;
}

Error malformed(const char* what) {
  return Error(errc::bad_data, std::string("keeper link: ") + what + "; keeper and engine are not of the same build");
}

Result<std::vector<std::byte>> read_payload_file(int file, std::size_t size) {
  struct stat info {};
  const int seals = ::fcntl(file, F_GET_SEALS);
  if (seals < 0 || (seals & kPayloadSeals) != kPayloadSeals) return malformed("a large message is not sealed");
  if (::fstat(file, &info) != 0 || static_cast<std::size_t>(info.st_size) != size) {
    return malformed("a large message is not of the size it claims");
  }
  std::vector<std::byte> bytes(size);
  for (std::size_t done = 0; done < size;) {
    const ssize_t n = ::pread(file, bytes.data() + done, size - done, static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return malformed("a large message cannot be read");
    done += static_cast<std::size_t>(n);
  }
  return bytes;
}

template <std::size_t... I>
bool emplace_by_index(Message& message, std::size_t index, std::index_sequence<I...>) {
  return ((index == I ? (message.emplace<I>(), true) : false) || ...);
}

struct Header {
  std::uint16_t type = 0, flags = 0;
  std::uint32_t sequence = 0, payload_bytes = 0;
  template <class A> void fields(A& a) { a(type)(flags)(sequence)(payload_bytes); }
};

}  // namespace

Result<Packet> encode(Message message, std::uint32_t sequence) {
  Writer body;
  std::visit([&](auto& fields) { body(fields); }, message);
  if (body.bytes.size() > kMaxPayload) {
    return Error(errc::exhausted, "a message of " + std::to_string(body.bytes.size()) +
                                      " bytes for the keeper is over the limit of " + std::to_string(kMaxPayload) +
                                      "; make it smaller");
  }
  Header header{static_cast<std::uint16_t>(message.index()), 0, sequence,
                static_cast<std::uint32_t>(body.bytes.size())};
  Packet packet;
  const bool large = body.bytes.size() > kMaxInlinePayload;
  if (large) {
    auto file = payload_file(body.bytes);
    if (!file) return std::move(file).error();
    header.flags = kPayloadInMemfd;
    packet.descriptors.push_back(std::move(*file));
  }
  for (auto& fd : body.descriptors) packet.descriptors.push_back(std::move(fd));
  if (packet.descriptors.size() > kMaxDescriptors) {
    return Error(errc::exhausted, "a message to the keeper carries at most 253 descriptors; send several");
  }
  Writer head;
  head(header);
  packet.bytes = std::move(head.bytes);
  if (!large) packet.bytes.insert(packet.bytes.end(), body.bytes.begin(), body.bytes.end());
  return packet;
}

Result<Decoded> decode(std::span<const std::byte> packet, std::vector<unique_fd> descriptors) {
  std::vector<unique_fd> none;
  if (packet.size() < kHeaderBytes) return malformed("a packet is shorter than its header");
  Header header;
  Reader(packet.first(kHeaderBytes), none, 0)(header);
  auto payload = packet.subspan(kHeaderBytes);

  std::vector<std::byte> large;
  std::size_t first_descriptor = 0;
  if (header.flags == kPayloadInMemfd) {
    if (header.payload_bytes <= kMaxInlinePayload || header.payload_bytes > kMaxPayload || !payload.empty() ||
        descriptors.empty()) {
      return malformed("a large message is not what its header says");
    }
    auto bytes = read_payload_file(descriptors[0].get(), header.payload_bytes);
    if (!bytes) return std::move(bytes).error();
    large = std::move(*bytes);
    payload = large;
    first_descriptor = 1;
  } else if (header.flags != 0) {
    return malformed("a packet has unknown flags");
  }
  if (payload.size() != header.payload_bytes) return malformed("a packet is not of the size it claims");

  Decoded decoded;
  decoded.sequence = header.sequence;
  if (!emplace_by_index(decoded.message, header.type, std::make_index_sequence<std::variant_size_v<Message>>{})) {
    return malformed("a packet is of an unknown type");
  }
  Reader reader(payload, descriptors, first_descriptor);
  std::visit([&](auto& fields) { reader(fields); }, decoded.message);
  if (!reader.complete()) return malformed("a packet's fields do not fill it exactly");
  return decoded;
}

}  // namespace tenon::keeper
