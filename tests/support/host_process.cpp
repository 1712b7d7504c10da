#include "support/host_process.hpp"

#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace tenon::test_support {

namespace {

constexpr std::chrono::seconds kStopWithin{30};

unique_fd connect_to(const std::string& socket) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket.size() >= sizeof address.sun_path) return {};
  std::memcpy(address.sun_path, socket.c_str(), socket.size());
  unique_fd connection(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval patience{10, 0};
  ::setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (::connect(connection.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return {};
  return connection;
}

}  // namespace

HostProcess::HostProcess(const std::string& config, Options options) : options_(std::move(options)) {
  char name[] = "/tmp/tenon-host-XXXXXX";
  directory_ = ::mkdtemp(name);
  write_text(config_path(), config);
}

HostProcess::~HostProcess() {
  stop();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void HostProcess::launch() {
  std::vector<std::string> words = options_.wrapper;
  words.insert(words.end(), {options_.binary.empty() ? tenon_binary() : options_.binary, "run", config_path(), "--socket", socket()});
  words.insert(words.end(), options_.arguments.begin(), options_.arguments.end());
  std::vector<std::string> environment = {"TEST=" + directory_, "WORKERS=" TENON_TEST_WORKERS,
                                          "SHELF=" TENON_SHELF_DIRECTORY};
  environment.insert(environment.end(), options_.environment.begin(), options_.environment.end());
  program_ = std::make_unique<BackgroundProgram>(std::move(words), environment, path("host.log"));
}

bool HostProcess::start() {
  launch();
  return wait_until_ready();
}

bool HostProcess::wait_until_ready(std::chrono::milliseconds deadline) {
  bool ready = false;
  wait_until([&] { return (ready = http_status("/readyz") == 200) || !program_->is_running(); }, deadline);
  return ready;
}

std::optional<int> HostProcess::stop() {
  if (!program_) return std::nullopt;
  program_->signal(SIGTERM);
  const auto code = program_->wait(kStopWithin);
  program_.reset();
  return code;
}

std::optional<int> HostProcess::wait_for_end(std::chrono::milliseconds deadline) { return program_->wait(deadline); }

ProgramResult HostProcess::cli(std::vector<std::string> words, std::string_view input) const {
  words.insert(words.begin(), tenon_binary());
  return run_program(std::move(words), {"TENON_SOCKET=" + socket()}, input);
}

std::unique_ptr<JsonDocument> HostProcess::json(std::vector<std::string> words) const {
  const std::string name = words.front();
  words.push_back("--json");
  ProgramResult result = cli(std::move(words));
  if (result.exit_code != 0) return nullptr;
  auto document = JsonDocument::parse(std::move(result.out), name);
  return document.ok() ? std::make_unique<JsonDocument>(std::move(*document)) : nullptr;
}

std::string HostProcess::http_answer(const std::string& path) const {
  return http_exchange("GET " + path + " HTTP/1.1\r\nHost: tenon\r\nConnection: close\r\n\r\n");
}

std::string HostProcess::http_post(const std::string& path, const std::string& body) const {
  return http_exchange("POST " + path + " HTTP/1.1\r\nHost: tenon\r\nConnection: close\r\n" +
                       "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
}

std::string HostProcess::http_exchange(const std::string& request) const {
  const unique_fd connection = connect_to(socket());
  if (!connection.valid()) return {};
  if (::send(connection.get(), request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
    return {};
  std::string answer;
  char bytes[4096];
  for (ssize_t got; (got = ::recv(connection.get(), bytes, sizeof bytes, 0)) > 0;)
    answer.append(bytes, static_cast<std::size_t>(got));
  return answer;
}

int HostProcess::http_status(const std::string& path) const {
  const std::string answer = http_answer(path);
  int status = 0;
  if (answer.size() >= 12) std::from_chars(answer.data() + 9, answer.data() + 12, status);  // HTTP/1.1 200
  return status;
}

std::int64_t HostProcess::number_of_info(std::string_view key) const {
  const auto info = json({"info"});
  if (!info) return 0;
  const auto value = info->root().find(key);
  return value ? value->as_i64().value_or(0) : 0;
}

pid_t HostProcess::worker_pid(const std::string& id) const {
  const auto status = json({"status", id});
  if (!status) return 0;
  const auto pid = status->root().find("pid");
  return pid ? static_cast<pid_t>(pid->as_i64().value_or(0)) : 0;
}

std::string HostProcess::worker_status(const std::string& id) const {
  const auto status = json({"status", id});
  if (!status) return "";
  const auto text = status->root().find("status");
  return text ? std::string(text->as_string().value_or("")) : "";
}

bool HostProcess::wait_for_engine_restart(std::int64_t count) {
  return wait_until([&] { return engine_restarts() >= count; }) && wait_until_ready();
}

std::string tenon_binary() { return TENON_TEST_BINARY; }

bool is_alive(pid_t pid) {
  const std::string stat = read_text("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t name_end = stat.rfind(')');  // the name may hold anything, a parenthesis too
  return name_end != std::string::npos && stat.size() > name_end + 2 && stat[name_end + 2] != 'Z';
}

std::set<pid_t> processes_with_environment(const std::string& variable) {
  std::set<pid_t> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    pid_t pid = 0;
    const std::string name = entry.path().filename();
    const auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (failed != std::errc() || end != name.data() + name.size()) continue;
    const std::string environment = '\0' + read_text(entry.path() / "environ");
    if (environment.find('\0' + variable + '\0') != std::string::npos) found.insert(pid);
  }
  return found;
}

}  // namespace tenon::test_support
