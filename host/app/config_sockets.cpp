#include "app/config_sockets.hpp"

#include <algorithm>
#include <map>
#include <sys/un.h>

#include "app/config_address.hpp"
#include "app/config_section.hpp"

namespace tenon::app {

using runtime::SocketConfig;
using runtime::SocketKind;

namespace {

constexpr std::size_t kMaxSockets = 16;  // keeper::kMaxPassedSockets
constexpr std::size_t kMaxName = 255;  // of sd_listen_fds_with_names(3)

void read_listen(ConfigReader& reader, const JsonValue& at, SocketConfig& out) {
  std::string text;
  constexpr std::string_view expected = "an address and a port such as \"0.0.0.0:8080\" or \"[::]:8080\"";
  if (!reader.text(at, text, expected)) return;
  const auto value = parse_ip_and_port(text);
  if (!value) {
    reader.wrong(at, std::string(expected));
    return;
  }
  out.address = value->address;
  out.port = value->port;
}

void read_path(ConfigReader& reader, const JsonValue& at, SocketConfig& out) {
  constexpr std::size_t limit = sizeof(sockaddr_un::sun_path) - 1;
  std::string path;
  if (!reader.path(at, path)) return;
  if (path.size() > limit) {
    reader.refuse(at, "the socket's path has " + std::to_string(path.size()) + " octets, the kernel takes " +
                          std::to_string(limit) + "; choose a shorter one",
                  "a path of at most " + std::to_string(limit) + " octets");
    return;
  }
  out.path = std::move(path);
}

// As FileDescriptorName= has it: "web.socket" is what systemd calls the sockets of that unit.
void read_name(ConfigReader& reader, const JsonValue& at, SocketConfig& out) {
  std::string name;
  constexpr std::string_view expected = "up to 255 printable characters of ASCII without ':' and spaces";
  if (!reader.nonempty(at, name, expected)) return;
  const bool right = name.size() <= kMaxName && std::all_of(name.begin(), name.end(), [](char c) {
    return c > ' ' && c <= '~' && c != ':';
  });
  if (right) out.name = std::move(name);
  else reader.wrong(at, std::string(expected));
}

void read_mode(ConfigReader& reader, const JsonValue& at, SocketConfig& out) {
  std::string text;
  constexpr std::string_view expected = "octal permissions such as \"0660\"";
  if (!reader.text(at, text, expected)) return;
  const bool octal = (text.size() == 3 || (text.size() == 4 && text[0] == '0')) &&
                     text.find_first_not_of("01234567") == text.npos;
  if (octal) out.mode = static_cast<std::uint32_t>(std::stoul(text, nullptr, 8));
  else reader.wrong(at, std::string(expected));
}

constexpr Choice<SocketKind> kKinds[] = {{"stream", SocketKind::stream}, {"datagram", SocketKind::datagram}};

using R = ConfigReader;
using V = const JsonValue;
constexpr Key<SocketConfig> kSocketKeys[] = {
    {"name", read_name},
    {"listen", read_listen},
    {"path", read_path},
    {"inherit", [](R& reader, V& at, SocketConfig& out) { reader.boolean(at, out.inherit); }},
    {"type", [](R& reader, V& at, SocketConfig& out) { reader.choice<SocketKind>(at, out.kind, kKinds); }},
    {"backlog", [](R& reader, V& at, SocketConfig& out) { reader.whole(at, out.backlog, 1, 65'535); }},
    {"mode", read_mode},
};
const Section<SocketConfig> kSocket{"socket", kSocketKeys};

// False, with a problem, unless the socket says in one way where it listens.
bool check_place(ConfigReader& reader, const JsonValue& at, const SocketConfig& socket) {
  const int places = int{at.find("listen").has_value()} + int{at.find("path").has_value()} + int{socket.inherit};
  if (places == 1) return true;
  return reader.refuse(at, places == 0 ? "the socket says not where it listens; give it one of \"listen\", \"path\" and "
                                         "\"inherit\": true"
                                       : "the socket says twice where it listens; keep one of \"listen\", \"path\" and "
                                         "\"inherit\"",
                       "one of \"listen\", \"path\" and \"inherit\"");
}

std::string place_of(const SocketConfig& socket) {
  const std::string kind = socket.kind == SocketKind::datagram ? " datagrams" : "";
  if (!socket.path.empty()) return socket.path;  // a path is one file, whatever comes through it
  if (socket.inherit) return "the socket " + socket.name + " that the host was passed";
  if (socket.port == 0) return {};
  return to_string(IpAndPort{socket.address, socket.port}) + kind;
}

}  // namespace

void read_sockets(ConfigReader& reader, const JsonValue& at, const std::string& owner, ConfigDraft& draft,
                  std::vector<SocketConfig>& out) {
  reader.array(at, kMaxSockets, "sockets such as {\"listen\": \"0.0.0.0:8080\"}", [&](const JsonValue& one) {
    SocketConfig socket;
    socket.name = owner.substr(0, kMaxName);
    if (!read_section(reader, one, kSocket, socket) || !check_place(reader, one, socket)) return;
    const auto same = [&](const SocketConfig& other) { return other.name == socket.name; };
    if (std::any_of(out.begin(), out.end(), same)) {
      reader.refuse(one, "another socket of this process is named \"" + socket.name + "\" already; give each a \"name\"",
                    "a name of its own");
      return;
    }
    if (const std::string place = place_of(socket); !place.empty()) draft.listening.push_back({place, one});
    out.push_back(std::move(socket));
  });
}

void check_listening_places(ConfigReader& reader, const ConfigDraft& draft) {
  const integration::ControlConfig& control = draft.host.control;
  std::map<std::string_view, const JsonValue*> first;
  for (const NameUse& use : draft.listening) {
    if (use.name == control.socket || use.name == control.http_listen) {
      reader.refuse(use.at, "the control API listens at " + use.name + " already; choose another place",
                    "a place where nobody else listens");
      continue;
    }
    const auto [known, fresh] = first.emplace(use.name, &use.at);
    if (fresh) continue;
    reader.refuse(use.at, "another process has " + use.name + " already (" + known->second->where() +
                              "); choose another place, or make them replicas of one",
                  "a place where nobody else listens");
  }
}

void describe_sockets(std::vector<SectionKeys>& out) { out.push_back(keys_of(kSocket)); }

}  // namespace tenon::app
