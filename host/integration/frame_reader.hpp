// Cuts a worker's octets into frames: lines, or 4-byte big-endian lengths with that many octets behind (Erlang's
// {packet, 4}).
//
// Pure: looks at octets and says what the next step is. What is too long is skipped without being kept, so that neither
// ten megabytes on one line nor a length of 4 GiB costs memory. The state that must survive the engine is one number,
// `skip`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "integration/host_config.hpp"

namespace tenon::integration {

struct FrameStep {
  enum class Kind : std::uint8_t {
    need_more,   // no whole frame yet
    frame,       // `frame` is one, without its framing
    skipped,     // part of an over-long frame was passed over
    too_long,    // a frame over the limit begins; `frame` holds its first octets, `claimed` its length (0: unknown)
    garbage,     // a length that no sane sender means: the stream cannot be followed any further
  };
  Kind kind = Kind::need_more;
  std::size_t consumed = 0;  // octets of the input that this step used up
  std::string_view frame;
  std::uint64_t claimed = 0;
};

// `skip`: in and out. packet4: octets of an over-long frame still to be passed over. line: kSkipLine while the rest of
// an over-long line is.
inline constexpr std::uint64_t kSkipLine = ~std::uint64_t{0};
// Lengths above this are taken for garbage rather than skipped.
inline constexpr std::uint32_t kGarbageLength = 256u * 1024 * 1024;

FrameStep next_frame(Framing framing, std::string_view input, std::size_t max_event, std::uint64_t& skip) noexcept;

}  // namespace tenon::integration
