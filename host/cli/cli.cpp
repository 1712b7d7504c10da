#include "cli/cli.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "cli/api_client.hpp"
#include "cli/command_line.hpp"
#include "cli/output.hpp"
#include "cli/session.hpp"
#include "common/system.hpp"

namespace tenon::cli {

namespace {

// What the operator named; empty: nothing.
std::string named_socket(const Arguments& arguments) {
  if (!arguments.socket.empty()) return arguments.socket;
  const char* named = std::getenv("TENON_SOCKET");
  return named == nullptr ? std::string() : std::string(named);
}

Result<std::string> socket_path(const Arguments& arguments) {
  if (std::string named = named_socket(arguments); !named.empty()) return named;
  auto directory = user_runtime_directory();
  if (!directory) return std::move(directory).error();
  return *directory + "/tenon.sock";
}

int run_local(const Arguments& arguments, const LocalVerbs& local) {
  switch (arguments.verb) {
    case Verb::run:
      return local.run({arguments.names.front(), named_socket(arguments), arguments.run_for, arguments.until_idle});
    case Verb::check: return local.check(arguments.names.front(), arguments.json);
    default: return local.plugin_info(arguments.names.front(), arguments.json);
  }
}

int run_remote(Session& session) {
  switch (session.arguments.verb) {
    case Verb::start:
    case Verb::stop:
    case Verb::restart:
    case Verb::pause:
    case Verb::resume:
    case Verb::kill: return act_on_processes(session);
    case Verb::send:
    case Verb::request: return publish_event(session);
    case Verb::tail: return tail_events(session);
    case Verb::logs: return print_logs(session);
    case Verb::reload:
    case Verb::diff:
    case Verb::scale: return change_config(session);
    case Verb::shutdown: return shut_down(session);
    case Verb::upgrade: return upgrade(session);
    case Verb::top: return show_top(session);
    default: return show_document(session);
  }
}

}  // namespace

int run(int argc, char** argv, const LocalVerbs& local) {
  if (argc == 2 && std::string_view(argv[1]) == "engine") return local.engine();
  Output output = Output::standard();
  const Parsed parsed = parse_command_line(argc, argv, local.version);
  if (!parsed.arguments) {
    (void)output.print(parsed.out);
    if (!parsed.error.empty()) output.complain(parsed.error);
    return parsed.exit_code;
  }
  const Verb verb = parsed.arguments->verb;
  if (verb == Verb::run || verb == Verb::check || verb == Verb::plugin_info) return run_local(*parsed.arguments, local);

  ::signal(SIGPIPE, SIG_IGN);  // a reader that has gone is seen by the write
  const auto socket = socket_path(*parsed.arguments);
  if (!socket) {
    output.complain(socket.error().message);
    return kFailed;
  }
  ApiClient client(*socket);
  Session session{*parsed.arguments, client, output};
  const int exit_code = run_remote(session);
  if (output.write_error() == 0 || output.write_error() == EPIPE) return exit_code;
  output.complain("cannot write the output: " + std::string(std::strerror(output.write_error())));
  return kFailed;
}

}  // namespace tenon::cli
