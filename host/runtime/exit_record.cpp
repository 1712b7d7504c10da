#include "runtime/exit_record.hpp"

#include <cerrno>
#include <cstring>

namespace tenon::runtime {

std::string to_string(const ExitRecord& record) {
  switch (record.cause) {
    case EndCause::spawn: return "could not start: " + record.detail;
    case EndCause::health: return "unhealthy: " + record.detail;
    case EndCause::startup:
    case EndCause::channel: return record.detail;
    case EndCause::code:
    case EndCause::signal: break;
  }
  const std::string how = tenon::to_string(record.status);
  return record.detail.empty() ? how : how + ": " + record.detail;
}

SpawnFailure classify_spawn_failure(int error_number) noexcept {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case EACCES:
    case EPERM:
    case ENOEXEC:
    case ELOOP:
    case ENAMETOOLONG:
    case E2BIG:
    case EINVAL:
      return SpawnFailure::hopeless;
    case EAGAIN:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
      return SpawnFailure::shortage;
    default:
      return SpawnFailure::undecided;
  }
}

}  // namespace tenon::runtime
