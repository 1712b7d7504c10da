#include "common/error.hpp"

#include <cerrno>
#include <cstring>

namespace tenon {

std::string_view to_string(errc code) noexcept {
  switch (code) {
    case errc::ok: return "ok";
    case errc::cancelled: return "cancelled";
    case errc::internal: return "internal";
    case errc::invalid_argument: return "invalid_argument";
    case errc::timeout: return "timeout";
    case errc::not_found: return "not_found";
    case errc::already_exists: return "already_exists";
    case errc::permission: return "permission";
    case errc::exhausted: return "exhausted";
    case errc::wrong_state: return "wrong_state";
    case errc::unsupported: return "unsupported";
    case errc::unavailable: return "unavailable";
    case errc::bad_data: return "bad_data";
    case errc::io: return "io";
    case errc::untranslatable: return "untranslatable";
  }
  return "unknown";  // a plugin of a newer minor version may send a number that this host does not know
}

std::string_view to_string(fault whose) noexcept {
  switch (whose) {
    case fault::host: return "host";
    case fault::caller: return "caller";
    case fault::plugin: return "plugin";
    case fault::remote: return "remote";
  }
  return "unknown";
}

namespace {

errc code_for_errno(int e) noexcept {
  switch (e) {
    case ENOENT:
    case ENOTDIR:
    case ESRCH: return errc::not_found;
    case EACCES:
    case EPERM:
    case EROFS: return errc::permission;
    case EEXIST:
    case EADDRINUSE: return errc::already_exists;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOSPC:
    case EDQUOT:
    case EAGAIN: return errc::exhausted;
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE:
    case ENETUNREACH:
    case EHOSTUNREACH: return errc::unavailable;
    case ETIMEDOUT: return errc::timeout;
    case EINVAL:
    case ENAMETOOLONG: return errc::invalid_argument;
    default: return errc::io;
  }
}

bool retry_may_help(int e) noexcept {
  return e == EAGAIN || e == EINTR || e == EMFILE || e == ENFILE || e == ENOMEM || e == ECONNREFUSED ||
         e == ECONNRESET || e == ETIMEDOUT;
}

}  // namespace

Error Error::from_errno(int saved_errno, std::string_view what) {
  char buffer[128];
  std::string message(what);
  message += ": ";
  message += ::strerror_r(saved_errno, buffer, sizeof buffer);
  return Error(code_for_errno(saved_errno), std::move(message), fault::host, retry_may_help(saved_errno));
}

Error Error::with_context(std::string_view what) && {
  message.insert(0, std::string(what) + ": ");
  return std::move(*this);
}

}  // namespace tenon
