// Checked wrappers of system calls that several modules need. Every descriptor they make is close-on-exec. All [any]
// but where said; errors name the operation, the object and what to do where something can be done.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "common/result.hpp"
#include "common/unique_fd.hpp"

namespace tenon {

// A whole regular file, pipe or device of at most `limit` bytes (errc::exhausted above). Directories are refused.
Result<std::string> read_file(const std::string& path, std::size_t limit);
// The rest of an open descriptor, from its position.
Result<std::string> read_all(int fd, std::size_t limit, std::string_view name_for_messages);
// Writes all bytes to a blocking descriptor, through short writes and EINTR.
Status write_all(int fd, std::string_view bytes, std::string_view name_for_messages);

// A temporary file beside it, fsync, rename, fsync of the directory: readers see the old bytes or the new, also after a
// power cut. Leaves no temporary file behind on failure. The file has exactly `mode`, whatever the umask.
Status write_file_atomically(const std::string& path, std::string_view bytes, mode_t mode = 0644);

// The directory that holds `path`, without looking: "." for a bare name.
std::string parent_of(const std::string& path);

Status set_nonblocking(int fd, bool on = true);
Status set_close_on_exec(int fd, bool on);

struct Pipe {
  unique_fd read_end;
  unique_fd write_end;
};
Result<Pipe> make_pipe(bool nonblocking = false);

// The node's name as the kernel has it; "localhost" if it has none.
std::string hostname();
// The running binary's path; " (deleted)" is not part of it.
Result<std::string> executable_path();

// A directory of mode 0700 owned by this user, for sockets and private state: $XDG_RUNTIME_DIR/tenon, else /run/tenon
// for root, else /tmp/tenon-UID. Made if missing, refused (errc::permission) if somebody else owns or may write it, or
// if it is a symbolic link.
Result<std::string> user_runtime_directory();
// The same for a directory of the caller's choice; its parent must exist.
Status make_private_directory(const std::string& path);

struct DescriptorLimit {
  std::uint64_t current;  // soft limit, what this process may open
  std::uint64_t maximum;  // what it may raise that to: the hard limit, or fs.nr_open with CAP_SYS_RESOURCE
};
Result<DescriptorLimit> descriptor_limit();
// Raises the soft limit, and the hard one with it, as far as this process may.
Status raise_descriptor_limit();

}  // namespace tenon
