#include "loader/elf_reader.hpp"

#include <array>
#include <cstring>
#include <string_view>

#include <elf.h>

#include "common/text.hpp"

namespace tenon::loader {
namespace {

Error refused(errc code, std::string sentence) { return Error(code, std::move(sentence), fault::plugin); }

Error not_elf(std::string_view head) {
  if (head.empty()) return refused(errc::bad_data, "the file is empty: copy the plugin again");
  if (head.starts_with("!<arch>")) {
    return refused(errc::bad_data, "this is a static library: link the plugin with -shared");
  }
  return refused(errc::bad_data, "this is not an ELF file (it begins with " + quote_for_message(head, 16) +
                                     "): put only plugins named *.so into a plugin directory");
}

// Which of the many kinds of ELF file this is, in the order in which a person would want to know.
Status check_header(const Elf64_Ehdr& header, std::uint16_t machine) {
  if (header.e_ident[EI_CLASS] != ELFCLASS64) {
    return refused(errc::unsupported, "the plugin is not a 64-bit file: build it with -m64");
  }
  if (header.e_ident[EI_DATA] != ELFDATA2LSB) {
    return refused(errc::unsupported, "the plugin is big-endian: build it for " + machine_name(machine));
  }
  if (header.e_machine != machine) {
    return refused(errc::unsupported, "the plugin is for " + machine_name(header.e_machine) + ", this host runs on " +
                                          machine_name(machine) + ": build it for " + machine_name(machine));
  }
  if (header.e_ident[EI_VERSION] != EV_CURRENT || header.e_version != EV_CURRENT) {
    return refused(errc::unsupported, "the file has an ELF version other than 1: build it with a current linker");
  }
  if (header.e_ident[EI_OSABI] != ELFOSABI_NONE && header.e_ident[EI_OSABI] != ELFOSABI_LINUX) {
    return refused(errc::unsupported, "the plugin is for another operating system: build it for Linux");
  }
  if (header.e_type == ET_REL) {
    return refused(errc::bad_data, "this is an object file: link the plugin with -shared");
  }
  if (header.e_type == ET_EXEC) {
    return refused(errc::bad_data, "this is a program, not a shared object: link the plugin with -shared");
  }
  if (header.e_type != ET_DYN) {
    return refused(errc::bad_data, "this is not a shared object: link the plugin with -shared");
  }
  if (header.e_phnum == 0 || header.e_phnum > kMaxProgramHeaders || header.e_phentsize != sizeof(Elf64_Phdr)) {
    return refused(errc::bad_data, "the file has " + std::to_string(header.e_phnum) + " program headers of " +
                                       std::to_string(header.e_phentsize) + " octets, expected 1 to " +
                                       std::to_string(kMaxProgramHeaders) + " of " +
                                       std::to_string(sizeof(Elf64_Phdr)) + ": link the plugin again");
  }
  return {};
}

}  // namespace

std::uint16_t host_machine() noexcept {
#if defined(__x86_64__)
  return EM_X86_64;
#elif defined(__aarch64__)
  return EM_AARCH64;
#elif defined(__riscv)
  return EM_RISCV;
#else
#error "name this processor's e_machine here and in machine_name"
#endif
}

std::string machine_name(std::uint16_t machine) {
  struct Name {
    std::uint16_t machine;
    std::string_view name;
  };
  static constexpr std::array kNames = {
      Name{EM_X86_64, "x86-64"},   Name{EM_AARCH64, "aarch64"}, Name{EM_RISCV, "riscv"},
      Name{EM_386, "x86 (i386)"},  Name{EM_ARM, "arm"},         Name{EM_PPC64, "powerpc64"},
      Name{EM_S390, "s390"},       Name{EM_MIPS, "mips"},       Name{EM_LOONGARCH, "loongarch"},
      Name{EM_SPARCV9, "sparc64"},
  };
  for (const Name& entry : kNames) {
    if (entry.machine == machine) return std::string(entry.name);
  }
  return "machine " + std::to_string(machine);
}

Result<std::vector<Segment>> read_segments(const ByteSource& file, std::uint16_t machine) {
  Elf64_Ehdr header{};
  std::array<char, sizeof header> head{};
  const std::size_t available = std::min<std::uint64_t>(file.size(), head.size());
  TENON_TRY(file.read(0, std::as_writable_bytes(std::span(head).first(available))));
  if (available < SELFMAG || std::memcmp(head.data(), ELFMAG, SELFMAG) != 0) {
    return not_elf(std::string_view(head.data(), available));
  }
  if (available < sizeof header) return refused(errc::bad_data, "the file is incomplete: copy it again");
  std::memcpy(&header, head.data(), sizeof header);
  TENON_TRY(check_header(header, machine));

  const std::uint64_t table_size = std::uint64_t{header.e_phnum} * sizeof(Elf64_Phdr);
  if (header.e_phoff > file.size() || table_size > file.size() - header.e_phoff) {
    return refused(errc::bad_data, "the file ends before its program headers do: it is incomplete, copy it again");
  }
  std::vector<Elf64_Phdr> table(header.e_phnum);
  TENON_TRY(file.read(header.e_phoff, std::as_writable_bytes(std::span(table))));

  std::vector<Segment> segments;
  segments.reserve(table.size());
  for (const Elf64_Phdr& entry : table) {
    // A segment that is mapped beyond the end of its file kills the process that touches it, long after dlopen.
    if (entry.p_offset > file.size() || entry.p_filesz > file.size() - entry.p_offset) {
      return refused(errc::bad_data, "the file has " + std::to_string(file.size()) + " octets, but a segment of " +
                                         std::to_string(entry.p_filesz) + " octets begins at " +
                                         std::to_string(entry.p_offset) + ": it is incomplete, copy it again");
    }
    segments.push_back({entry.p_type, entry.p_offset, entry.p_filesz, entry.p_align});
  }
  return segments;
}

}  // namespace tenon::loader
