// "Only root or this user can write here": the condition under which code may be loaded from a file.
//
// The model. A file is safe when it, and every directory from it up to the root, belongs to root or to this user and
// may be written by neither group nor others (a private group of this user is refused too: its members change without
// us). One exception: a sticky directory of root that others can write, such as /tmp, is accepted above a directory
// that passes and belongs to this user, because sticky keeps others from renaming or removing that one; a file lying
// directly in it is refused. Symbolic links are resolved first, and the resolved path is checked.
//
// The file itself is checked through the descriptor that will be read, so that what was checked is what is loaded; the
// directories decide whether the name can be trusted to mean the same thing again.
#pragma once

#include <string>

#include "common/result.hpp"

namespace tenon {

// Checks an open file (by fstat) and the directories above `path`, by which it was opened. Also refuses what is no
// regular file, and a `path` that no longer leads to `fd`. errc::permission names the offending path, its owner and
// mode, and the command that mends it.
Status check_secure_file(int fd, const std::string& path);

// Checks a directory and all above it.
Status check_secure_directory(const std::string& path);

}  // namespace tenon
