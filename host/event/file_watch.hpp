// Watches the files of one directory through inotify: what was written, moved and deleted, by name.
//
// The model. A change is reported when it is complete: a file that was open for writing was closed, or a name moved in
// or out, or was deleted. A file that is being written is not reported, so `cp` and `mv` into the directory are each
// one report. Names of sub-directories are not reported. The kernel's queue is bounded: when it overflows, changes are
// lost and `rescan` says so; the receiver must then look at the whole directory. When the directory itself is deleted,
// moved away or unmounted, `directory_gone` comes once and is the last report.
//
// Reports are hints: between the change and the callback the file may have changed again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.hpp"
#include "common/unique_fd.hpp"
#include "event/loop.hpp"

namespace tenon::event {

enum class FileChange : std::uint8_t { written, moved_in, moved_out, deleted, rescan, directory_gone };

class FileWatch {
 public:
  // `name` is the file's name inside the directory, empty for rescan and directory_gone; valid during the call.
  // May destroy the FileWatch.
  using Callback = std::function<void(FileChange change, std::string_view name)>;

  // [loop] errc::not_found or permission for the directory (invalid_argument if it is none), exhausted at the kernel's
  // limits. The loop outlives the watch.
  static Result<std::unique_ptr<FileWatch>> open(Loop& loop, const std::string& directory, Callback on_change);

  ~FileWatch();  // [loop]
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

 private:
  FileWatch(unique_fd inotify, Callback on_change);
  void read_events();

  unique_fd inotify_;
  std::unique_ptr<FdWatch> watch_;  // dies before inotify_; none after directory_gone
  std::shared_ptr<Callback> on_change_;  // shared: it may be running when the FileWatch dies
};

struct FileReport {
  FileChange change;
  std::string name;
  bool operator==(const FileReport&) const = default;
};

// The reports in bytes read from an inotify descriptor. What the kernel would never write (a truncated event, an
// unknown mask) is left out.
std::vector<FileReport> decode_inotify(std::span<const std::byte> bytes);

}  // namespace tenon::event
