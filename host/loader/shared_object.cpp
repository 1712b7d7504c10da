#include "loader/shared_object.hpp"

#include <exception>
#include <list>
#include <utility>

#include <dlfcn.h>

#include <boost/dll/shared_library.hpp>

namespace tenon::loader {
namespace {

constexpr const char* kSymbol = "tenon_plugin_v1";

Error refused(std::string sentence) { return Error(errc::bad_data, std::move(sentence), fault::plugin); }

// The linker's message begins with the path of the private copy, which says nothing to a person.
std::string linker_words(const std::string& path) {
  const char* words = ::dlerror();
  std::string text = words != nullptr ? words : "the dynamic linker gave no reason";
  if (text.starts_with(path + ": ")) text.erase(0, path.size() + 2);
  return text;
}

// Keeps a library mapped for the life of the process. Never destroyed: exit handlers may still run code of it.
void keep_mapped(boost::dll::shared_library library) {
  static auto* const kept = new std::list<boost::dll::shared_library>;
  kept->push_back(std::move(library));
}

}  // namespace

Result<SharedObject> map_shared_object(const std::string& path) {
  try {
    using boost::dll::load_mode::rtld_local;
    using boost::dll::load_mode::rtld_now;
    boost::dll::fs::error_code failure;
    boost::dll::shared_library library;
    ::dlerror();
    library.load(boost::dll::fs::path(path), failure, rtld_now | rtld_local);
    if (failure) {
      return refused("the dynamic linker refuses the file: " + linker_words(path) +
                     "; install or link what is missing (ldd shows the libraries)");
    }
    SharedObject object;
    if (library.has(kSymbol)) object.describe = &library.get<const tenon_plugin*()>(kSymbol);
    keep_mapped(std::move(library));
    if (object.describe == nullptr) {
      return refused("the file does not export " + std::string(kSymbol) +
                     ": define it with TENON_EXPORT (extern \"C\" in C++) and keep it in the version script");
    }
    Dl_info where{};
    if (::dladdr(reinterpret_cast<const void*>(object.describe), &where) != 0) object.base = where.dli_fbase;
    return object;
  } catch (const std::exception& problem) {
    return refused(std::string("loading failed: ") + problem.what() + "; run ldd on the file");
  }
}

bool owns_address(const SharedObject& object, const void* address) noexcept {
  Dl_info where{};
  return ::dladdr(address, &where) == 0 || where.dli_fbase == object.base;
}

}  // namespace tenon::loader
