// Messages as packets of a SOCK_SEQPACKET socket, and back.
//
// A packet is a header of 12 bytes (type, flags, sequence, payload size; little-endian like everything) and a
// payload of fields: fixed-width numbers, byte strings and lists with a u32 length before them, optionals with a
// presence byte, descriptors with a presence byte each, in the order in which they are attached. A payload over
// kMaxInlinePayload travels in a sealed memfd that is attached before all others.
//
// The reader trusts nothing: every count and length is checked against what is left, every enumerator against its
// range, and bytes or descriptors that are left over make the packet malformed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/result.hpp"
#include "common/unique_fd.hpp"
#include "keeper/messages.hpp"

namespace tenon::keeper {

inline constexpr std::size_t kHeaderBytes = 12;
inline constexpr std::size_t kMaxInlinePayload = 48 * 1024;
inline constexpr std::size_t kMaxPayload = 64 * 1024 * 1024;
inline constexpr std::size_t kMaxDescriptors = 253;  // SCM_MAX_FD
inline constexpr std::size_t kMaxPacketBytes = kHeaderBytes + kMaxInlinePayload;

struct Packet {
  std::vector<std::byte> bytes;
  std::vector<unique_fd> descriptors;
};

// Moves the message's descriptors into the packet. errc::exhausted over kMaxPayload or kMaxDescriptors.
Result<Packet> encode(Message message, std::uint32_t sequence);

struct Decoded {
  std::uint32_t sequence = 0;
  Message message;
};
// errc::bad_data for anything that encode would not have made. Closes all descriptors it does not hand out.
Result<Decoded> decode(std::span<const std::byte> packet, std::vector<unique_fd> descriptors = {});

}  // namespace tenon::keeper
