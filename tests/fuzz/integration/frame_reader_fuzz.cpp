// Any octets, in any pieces: steps make progress, stay inside the input, and do not depend on where the input was split.
#include "integration/frame_reader.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

using tenon::integration::FrameStep;
using tenon::integration::Framing;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

struct Seen {
  FrameStep::Kind kind;
  std::string frame;  // of a whole one
  bool operator==(const Seen&) const = default;
};

std::vector<Seen> read_in_pieces(Framing framing, const std::string& stream, std::size_t max_event, std::size_t piece) {
  std::vector<Seen> seen;
  std::string waiting;
  std::uint64_t skip = 0;
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    waiting.append(stream, at, piece);
    for (;;) {
      const FrameStep step = next_frame(framing, waiting, max_event, skip);
      if (step.kind == FrameStep::Kind::need_more) break;
      require(step.consumed <= waiting.size());
      require(step.frame.empty() || (step.frame.data() >= waiting.data() &&
                                     step.frame.data() + step.frame.size() <= waiting.data() + waiting.size()));
      if (step.kind == FrameStep::Kind::frame) {
        require(step.frame.size() <= max_event);
        seen.push_back({step.kind, std::string(step.frame)});
      } else if (step.kind != FrameStep::Kind::skipped) {
        seen.push_back({step.kind, {}});
      }
      if (step.kind == FrameStep::Kind::garbage) return seen;
      require(step.consumed != 0 || skip != 0);
      waiting.erase(0, step.consumed);
    }
    require(waiting.size() <= max_event + 4);  // what is kept is never more than one frame
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const Framing framing = data[0] % 2 == 0 ? Framing::line : Framing::packet4;
  const std::size_t max_event = 1 + data[1], piece = 1 + data[2];
  const std::string stream(reinterpret_cast<const char*>(data) + 3, size - 3);
  require(read_in_pieces(framing, stream, max_event, piece) ==
          read_in_pieces(framing, stream, max_event, std::max<std::size_t>(stream.size(), 1)));
  return 0;
}
