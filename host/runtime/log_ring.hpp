// The last lines of one process's log, in so many octets. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "common/bounded_ring.hpp"
#include "runtime/log_line.hpp"

namespace tenon::runtime {

class LogRing {
 public:
  using Visit = std::function<void(const LogLine&)>;

  // At least 1 KiB. Another size than before forgets all lines; positions go on.
  void resize(std::size_t bytes);
  // The longest text that a ring of this size should be given.
  std::size_t max_line() const noexcept;
  // Keeps whole lines only, the newest. Returns the position behind this one.
  std::uint64_t append(const LogLine& line);

  std::uint64_t end_position() const noexcept { return base_ + (ring_ ? ring_->total() : 0); }
  // Of the oldest line; empty: there is none.
  std::optional<WallTime> oldest() const;
  // Lines were overwritten or forgotten.
  bool has_lost() const noexcept { return base_ > 0 || (ring_ && ring_->total() > ring_->size()); }
  // The last `count`, oldest first.
  void last(std::size_t count, const Visit& visit) const;
  // All behind the position; `on_lost` before, if some are not there any more: how many octets, and the position where
  // what is there begins.
  void since(std::uint64_t from, const Visit& visit,
             const std::function<void(std::uint64_t lost, std::uint64_t position)>& on_lost) const;

 private:
  void visit_records(std::string_view records, bool torn, const Visit& visit) const;

  std::size_t bytes_ = 0;
  std::optional<ByteRing> ring_;  // made with the first line
  std::uint64_t base_ = 0;        // position of the ring's first octet ever
};

}  // namespace tenon::runtime
