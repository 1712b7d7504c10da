// The program headers of an ELF file, read with every offset and size checked.
//
// Only what the kernel and the dynamic linker themselves use is read (program headers, not section headers), so a file
// that was stripped of everything else reads the same. Source: ELF gABI, chapters "ELF Header" and "Program Loading".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/result.hpp"
#include "loader/byte_source.hpp"

namespace tenon::loader {

inline constexpr std::size_t kMaxProgramHeaders = 256;

struct Segment {
  std::uint32_t type = 0;    // PT_…
  std::uint64_t offset = 0;  // offset + size lies within the file
  std::uint64_t size = 0;    // octets in the file
  std::uint64_t align = 0;
};

// The e_machine value of the processor that this host was built for.
std::uint16_t host_machine() noexcept;
// "x86-64", "aarch64", …; "machine 4711" for one without a name here.
std::string machine_name(std::uint16_t machine);

// The segments of a 64-bit little-endian shared object for `machine`. Everything else is refused (errc::bad_data,
// errc::unsupported; fault::plugin) with what the file is instead and how to build or copy it right: other formats,
// other processors, programs, object files, files that end before one of their segments does.
Result<std::vector<Segment>> read_segments(const ByteSource& file, std::uint16_t machine = host_machine());

}  // namespace tenon::loader
