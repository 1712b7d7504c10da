#include "app/config_source.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>

#include <glob.h>
#include <unistd.h>

#include "common/expand.hpp"
#include "common/json_document.hpp"
#include "common/system.hpp"
#include "common/text.hpp"

namespace tenon::app {

namespace {

namespace fs = std::filesystem;

std::vector<std::string> snapshot_environment() {
  std::vector<std::string> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    // The link to the keeper is this engine's alone; everything else may stand in a ${NAME}.
    if (text.find('=') != std::string_view::npos && !text.starts_with("TENON_KEEPER_LINK="))
      variables.emplace_back(text);
  }
  return variables;
}

// A directory that is not there matches nothing; one that cannot be read ends the search.
int stop_at_unreadable(const char* /*path*/, int error) { return error == ENOENT || error == ENOTDIR ? 0 : 1; }

// Text that glob(3) takes literally.
std::string glob_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("*?[]\\").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

// Most files name no other, and large ones take a while to read: they are read once, by load_config().
bool may_include(std::string_view text) {
  return text.find("\"include\"") != text.npos || text.find("\\u") != text.npos;  // a key may be spelt with escapes
}

class Collector {
 public:
  explicit Collector(ConfigSources& out) : out_(out) {}

  // `asked_by`: the include that names the file; null for the main file.
  void add(const std::string& name, const JsonValue* asked_by, std::uint32_t depth) {
    std::error_code failed;
    const std::string path = fs::canonical(name, failed).string();
    if (!failed && !seen_.insert(path).second) return;
    if (out_.files.size() == ConfigSources::kMaxFiles) {
      return complain(name, asked_by, "the config has more than " + std::to_string(ConfigSources::kMaxFiles) +
                                          " files; join some of them");
    }
    auto text = read_file(name, ConfigSources::kMaxFileBytes);
    if (!text) return complain(name, asked_by, text.error().message);
    if (bytes_ += text->size(); bytes_ > ConfigSources::kMaxBytes) {
      return complain(name, asked_by, "the files of the config are larger than 32 MiB together; make them smaller");
    }
    out_.files.push_back({name, failed ? fs::absolute(name).string() : path, std::move(text).value()});
    follow(out_.files.size() - 1, depth);
  }

 private:
  void complain(const std::string& name, const JsonValue* asked_by, const std::string& sentence) {
    if (asked_by != nullptr) {
      out_.problems.push_back(problem_at(*asked_by, sentence));
    } else {
      out_.problems.push_back({.file = name, .sentence = sentence});
    }
  }

  void follow(std::size_t index, std::uint32_t depth) {
    const ConfigSource& file = out_.files[index];  // gone once another file is added
    if (!may_include(file.text)) return;
    auto document = JsonDocument::parse(file.text, file.name, {.comments = true});
    if (!document) return;  // load_config() says why
    const auto include = document->root().find("include");
    if (!include) return;
    if (!include->is_array()) return out_.problems.push_back(mismatch_at(*include, "an array of paths"));
    const std::string directory = fs::path(file.name).parent_path().string();
    for (const JsonValue entry : include->elements()) {
      if (depth == ConfigSources::kMaxIncludeDepth) {
        out_.problems.push_back(problem_at(entry, "includes are nested more than 8 deep; name the file further up"));
        return;
      }
      include_pattern(entry, directory, depth);
    }
  }

  void include_pattern(const JsonValue& entry, const std::string& directory, std::uint32_t depth) {
    const auto written = entry.as_string();
    if (!written || written->empty() || written->find('\0') != std::string_view::npos) {
      return out_.problems.push_back(mismatch_at(entry, "a path or a pattern such as \"conf.d/*.json\""));
    }
    const auto pattern = expand_variables(*written, environment_variable);
    if (!pattern) return out_.problems.push_back(problem_at(entry, pattern.error().message));
    const std::string base = directory.empty() || pattern->starts_with('/') ? "" : directory + "/";
    if (!has_glob(*pattern)) return add(base + *pattern, &entry, depth + 1);
    for (const std::string& match : matches(entry, glob_escaped(base) + *pattern)) add(match, &entry, depth + 1);
  }

  std::vector<std::string> matches(const JsonValue& entry, const std::string& pattern) {
    glob_t found{};
    const int result = ::glob(pattern.c_str(), 0, stop_at_unreadable, &found);
    std::vector<std::string> names(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    ::globfree(&found);
    std::sort(names.begin(), names.end());  // by bytes, whatever the locale says
    if (result != 0 && result != GLOB_NOMATCH) {
      out_.problems.push_back(problem_at(entry, "a directory of this pattern cannot be read; make it readable"));
    }
    return names;
  }

  ConfigSources& out_;
  std::set<std::string> seen_;
  std::size_t bytes_ = 0;
};

}  // namespace

ConfigSources load_sources(const std::string& path) {
  ConfigSources sources;
  sources.records.environment = snapshot_environment();
  Collector(sources).add(path, nullptr, 0);
  return sources;
}

}  // namespace tenon::app
