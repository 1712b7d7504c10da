#include "runtime/log_line.hpp"

namespace tenon::runtime {

std::string_view to_string(LogStream stream) noexcept {
  switch (stream) {
    case LogStream::standard_output: return "stdout";
    case LogStream::standard_error: return "stderr";
    case LogStream::host: return "host";
  }
  return "unknown";
}

}  // namespace tenon::runtime
