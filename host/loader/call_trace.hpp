// Says where the engine is while plugin code runs, so that whoever finds it dead knows who did it.
//
// The model. A CallTrace writes to memory that outlives the engine; what that is, integration decides. The loader
// enters before the first instruction of a plugin can run (dlopen runs constructors) and leaves when the call has
// returned; a trace that was entered and never left names the culprit. The file is named by its trace name: content
// digest and path, so that the next engine quarantines the content that crashed and not what lies there by then.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "loader/content_digest.hpp"

namespace tenon::loader {

// The names of the loader's own calls. Integration uses kCallCreate around a table's `create`.
inline constexpr std::string_view kCallLoad = "load";          // dlopen: constructors and relocation
inline constexpr std::string_view kCallDescribe = "describe";  // tenon_plugin_v1
inline constexpr std::string_view kCallCreate = "create";

class CallTrace {
 public:
  virtual ~CallTrace() = default;
  // [loop] Enters nest; each is left in reverse order. `component` is "kind/name", empty where the call is the whole
  // file's. The arguments live until leave().
  virtual void enter(std::string_view file, std::string_view component, std::string_view call) noexcept = 0;
  virtual void leave() noexcept = 0;
};

// Where nobody would look: `tenon plugin info`, tests.
class NoTrace final : public CallTrace {
 public:
  void enter(std::string_view, std::string_view, std::string_view) noexcept override {}
  void leave() noexcept override {}
};

class CallScope {
 public:
  CallScope(CallTrace& trace, std::string_view file, std::string_view component, std::string_view call) noexcept
      : trace_(trace) {
    trace_.enter(file, component, call);
  }
  ~CallScope() { trace_.leave(); }
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;

 private:
  CallTrace& trace_;
};

// "<32 hexadecimal digits> /path/x.so". The digest comes first, so it survives where a long path is cut.
std::string trace_name(const Digest& content, std::string_view path);

struct TracedFile {
  Digest content{};
  std::string path;  // perhaps cut
};
// Empty for what trace_name did not make.
std::optional<TracedFile> parse_trace_name(std::string_view text);

}  // namespace tenon::loader
