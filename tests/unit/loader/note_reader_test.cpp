#include "loader/note_reader.hpp"

#include <cstring>

#include <elf.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "loader/elf_reader.hpp"
#include "shelf_support.hpp"

namespace tenon::loader {
namespace {

using testing::HasSubstr;

Result<std::string> read_text(const std::string& octets) {
  return read_note_text(MemorySource(std::as_bytes(std::span(octets))));
}
std::string error_of(const std::string& octets) {
  const auto text = read_text(octets);
  if (text) return "no error";
  EXPECT_EQ(text.error().whose, fault::plugin);
  return text.error().message;
}

std::string padded(std::string text, std::size_t alignment) {
  text.resize((text.size() + alignment - 1) / alignment * alignment, '\0');
  return text;
}

std::string note(std::string owner, std::uint32_t type, const std::string& text, std::size_t alignment = 4) {
  owner.push_back('\0');
  const Elf64_Nhdr header{static_cast<Elf64_Word>(owner.size()), static_cast<Elf64_Word>(text.size()), type};
  const std::string head(reinterpret_cast<const char*>(&header), sizeof header);
  return padded(padded(head + owner, alignment) + text, alignment);
}

// A file of nothing but a header, one program header and a note segment.
std::string elf_with(const std::string& notes, std::uint64_t alignment = 4) {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_DYN;
  header.e_machine = host_machine();
  header.e_version = EV_CURRENT;
  header.e_phoff = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 1;
  Elf64_Phdr segment{};
  segment.p_type = PT_NOTE;
  segment.p_offset = sizeof header + sizeof segment;
  segment.p_filesz = notes.size();
  segment.p_align = alignment;
  return std::string(reinterpret_cast<const char*>(&header), sizeof header) +
         std::string(reinterpret_cast<const char*>(&segment), sizeof segment) + notes;
}

template <class Field, class Value>
std::string patched(std::string elf, Field Elf64_Ehdr::*field, Value value) {
  Elf64_Ehdr header;
  std::memcpy(&header, elf.data(), sizeof header);
  header.*field = static_cast<Field>(value);
  std::memcpy(elf.data(), &header, sizeof header);
  return elf;
}
std::string patched(std::string elf, std::size_t ident, unsigned char value) {
  elf[ident] = static_cast<char>(value);
  return elf;
}

TEST(NoteReader, ReadsARealPlugin) {
  const auto text = read_text(test::read_octets(test::shelf("good")));
  ASSERT_TRUE(text.ok()) << text.error().message;
  EXPECT_TRUE(text->starts_with(R"({"abi":[1,0],"name":"good","version":"1.0.0")")) << *text;
  EXPECT_TRUE(text->ends_with("}")) << *text;
}

TEST(NoteReader, NeedsNoSectionHeaders) {
  const std::string whole = test::read_octets(test::shelf("good"));
  std::string stripped = patched(patched(whole, &Elf64_Ehdr::e_shoff, 0), &Elf64_Ehdr::e_shnum, 0);
  stripped = patched(stripped, &Elf64_Ehdr::e_shstrndx, 0);
  const auto text = read_text(stripped);
  ASSERT_TRUE(text.ok()) << text.error().message;
  EXPECT_EQ(*text, *read_text(whole));
}

TEST(NoteReader, FindsItsNoteAmongOthersInBothAlignments) {
  for (const std::size_t alignment : {4, 8}) {
    const std::string notes = note("GNU", 3, "build id", alignment) + note("Tenon", 2, "another type", alignment) +
                              note("Tenon", 1, "{}", alignment) + note("X", 1, "", alignment);
    const auto text = read_text(elf_with(notes, alignment));
    ASSERT_TRUE(text.ok()) << text.error().message;
    EXPECT_EQ(*text, "{}");
  }
}

TEST(NoteReader, RefusesASecondTenonNote) {
  EXPECT_THAT(error_of(elf_with(note("Tenon", 1, "{}") + note("Tenon", 1, "{}"))),
              HasSubstr("more than one Tenon note"));
  EXPECT_THAT(error_of(test::read_octets(test::shelf("two_notes"))), HasSubstr("more than one Tenon note"));
}

TEST(NoteReader, SaysThatAPluginWithoutNoteIsNone) {
  EXPECT_THAT(error_of(test::read_octets(test::shelf("no_note"))), HasSubstr("no Tenon note"));
  EXPECT_THAT(error_of(elf_with(note("tenon", 1, "{}"))), HasSubstr("no Tenon note"));
  EXPECT_THAT(error_of(elf_with("")), HasSubstr("no Tenon note"));
}

TEST(NoteReader, KeepsToItsLimits) {
  EXPECT_TRUE(read_text(elf_with(note("Tenon", 1, std::string(kMaxNoteText, 'x')))).ok());
  EXPECT_THAT(error_of(elf_with(note("Tenon", 1, std::string(kMaxNoteText + 1, 'x')))),
              HasSubstr("shorten the config schemas"));
  EXPECT_THAT(error_of(elf_with(std::string(kMaxNoteSegment + 4, '\0'))), HasSubstr("was not read"));
}

TEST(NoteReader, IsNotLedOutOfTheSegmentByClaimedSizes) {
  std::string notes = note("Tenon", 1, "{}");
  for (const std::size_t field : {0, 4}) {
    for (const std::uint32_t claim : {3u, 0x7fffffffu, 0xfffffff0u, 0xffffffffu}) {
      std::string lying = notes;
      std::memcpy(lying.data() + field, &claim, sizeof claim);
      const auto text = read_text(elf_with(lying));
      EXPECT_TRUE(!text.ok() || text->size() <= 3) << field << " " << claim;
    }
  }
}

TEST(NoteReader, TellsWhatAFileIsInstead) {
  EXPECT_THAT(error_of(""), HasSubstr("empty"));
  EXPECT_THAT(error_of("#!/bin/sh\n"), HasSubstr("not an ELF file"));
  EXPECT_THAT(error_of("!<arch>\nxxxx"), HasSubstr("static library"));
  EXPECT_THAT(error_of(std::string("\x7f"
                                   "ELF")),
              HasSubstr("incomplete"));
  const std::string good = elf_with(note("Tenon", 1, "{}"));
  EXPECT_THAT(error_of(patched(good, EI_CLASS, ELFCLASS32)), HasSubstr("-m64"));
  EXPECT_THAT(error_of(patched(good, EI_DATA, ELFDATA2MSB)), HasSubstr("big-endian"));
  EXPECT_THAT(error_of(patched(good, EI_OSABI, ELFOSABI_FREEBSD)), HasSubstr("build it for Linux"));
  EXPECT_THAT(error_of(patched(good, &Elf64_Ehdr::e_type, ET_REL)), HasSubstr("object file"));
  EXPECT_THAT(error_of(patched(good, &Elf64_Ehdr::e_type, ET_EXEC)), HasSubstr("a program"));
  EXPECT_THAT(error_of(patched(good, &Elf64_Ehdr::e_type, ET_CORE)), HasSubstr("not a shared object"));
  EXPECT_THAT(error_of(patched(good, &Elf64_Ehdr::e_phnum, PN_XNUM)), HasSubstr("65535 program headers"));
  EXPECT_THAT(error_of(patched(good, &Elf64_Ehdr::e_phentsize, 32)), HasSubstr("program headers"));
}

TEST(NoteReader, NamesBothProcessors) {
  const std::uint16_t other = host_machine() == EM_AARCH64 ? EM_X86_64 : EM_AARCH64;
  const std::string message = error_of(patched(test::read_octets(test::shelf("good")), &Elf64_Ehdr::e_machine, other));
  EXPECT_THAT(message, HasSubstr("is for " + machine_name(other)));
  EXPECT_THAT(message, HasSubstr("build it for " + machine_name(host_machine())));
}

TEST(NoteReader, RefusesATableOrSegmentBeyondTheEnd) {
  const std::string good = elf_with(note("Tenon", 1, "{}"));
  for (const std::uint64_t offset : {good.size() - 8, good.size(), ~std::uint64_t{0}, ~std::uint64_t{0} - 55}) {
    EXPECT_THAT(error_of(patched(good, &Elf64_Ehdr::e_phoff, offset)), HasSubstr("incomplete"));
  }
  for (const std::uint64_t value : {std::uint64_t{good.size()}, ~std::uint64_t{0}, ~std::uint64_t{0} - 0x77}) {
    std::string bad = good;
    std::memcpy(bad.data() + sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, p_filesz), &value, sizeof value);
    EXPECT_THAT(error_of(bad), HasSubstr("incomplete"));
  }
}

// Half a copy of a plugin must be seen as such: the linker would map what is not there.
TEST(NoteReader, RefusesEveryTruncationOfALoadedSegment) {
  const std::string whole = test::read_octets(test::shelf("good"));
  const auto segments = read_segments(MemorySource(std::as_bytes(std::span(whole))));
  ASSERT_TRUE(segments.ok());
  std::uint64_t end = 0;
  for (const Segment& segment : *segments) end = std::max(end, segment.offset + segment.size);
  for (std::uint64_t size = 0; size < end; size += 61) {
    EXPECT_FALSE(read_text(whole.substr(0, size)).ok()) << size;
  }
}

}  // namespace
}  // namespace tenon::loader
