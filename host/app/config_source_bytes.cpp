// ConfigSources as bytes: fields in order, each string and each list with its length as u32 little-endian before it.
#include <cstring>

#include "app/config_source.hpp"

namespace tenon::app {

namespace {

constexpr std::string_view kMagic = "tenon-config/1\n";

class Writer {
 public:
  void put(std::uint32_t number) {
    for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<char>(number >> shift));
  }
  void put(const std::string& text) {
    put(static_cast<std::uint32_t>(text.size()));
    bytes += text;
  }
  void put(const ConfigSource& file) { put(file.name), put(file.path), put(file.text); }
  void put(const ConfigUser& user) {
    put(user.name), put(user.home), put(user.uid), put(user.gid);
    put_list(user.groups);
  }
  template <class K, class V>
  void put(const std::pair<const K, V>& entry) {
    put(entry.first), put(entry.second);
  }
  template <class List>
  void put_list(const List& list) {
    put(static_cast<std::uint32_t>(list.size()));
    for (const auto& entry : list) put(entry);
  }
  std::string bytes{kMagic};
};

// Every length is checked against what is left; after the first mistake everything is empty and `failed` stays.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  void get(std::uint32_t& number) {
    if (rest_.size() < 4) return fail();
    number = 0;
    for (int i = 3; i >= 0; --i) number = number << 8 | static_cast<unsigned char>(rest_[static_cast<std::size_t>(i)]);
    rest_.remove_prefix(4);
  }
  void get(std::string& text) {
    std::uint32_t size = 0;
    get(size);
    if (size > rest_.size()) return fail();
    text = rest_.substr(0, size);
    rest_.remove_prefix(size);
  }
  void get(ConfigSource& file) { get(file.name), get(file.path), get(file.text); }
  void get(ConfigUser& user) {
    get(user.name), get(user.home), get(user.uid), get(user.gid);
    get_list(user.groups);
  }
  template <class T>
  void get_list(std::vector<T>& list) {
    for (std::uint32_t left = count(); left > 0 && !failed_; --left) get(list.emplace_back());
  }
  template <class V>
  void get_map(std::map<std::string, V>& map) {
    for (std::uint32_t left = count(); left > 0 && !failed_; --left) {
      std::string key;
      get(key);
      get(map[key]);
    }
  }
  bool complete() const { return !failed_ && rest_.empty(); }

 private:
  std::uint32_t count() {
    std::uint32_t number = 0;
    get(number);
    return number;
  }
  void fail() { failed_ = true, rest_ = {}; }
  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace

std::string ConfigSources::to_bytes() const {
  Writer writer;
  writer.put_list(files);
  writer.put_list(records.environment);
  writer.put_list(records.env_files);
  writer.put_list(records.users);
  writer.put_list(records.facts);
  return std::move(writer.bytes);
}

Result<ConfigSources> ConfigSources::from_bytes(std::string_view bytes) {
  ConfigSources sources;
  Reader reader(bytes.substr(std::min(bytes.size(), kMagic.size())));
  if (bytes.starts_with(kMagic)) {
    reader.get_list(sources.files);
    reader.get_list(sources.records.environment);
    reader.get_map(sources.records.env_files);
    reader.get_map(sources.records.users);
    reader.get_map(sources.records.facts);
    if (reader.complete() && !sources.files.empty()) return sources;
  }
  return Error(errc::bad_data,
               "the kept config is not what this version writes; reload it from its file (tenon reload)");
}

}  // namespace tenon::app
