// What every verb that talks to the host needs: its arguments, a client, where to print, and how failures become exit
// codes.
#pragma once

#include <string>

#include "cli/api_client.hpp"
#include "cli/command_line.hpp"
#include "cli/output.hpp"

namespace tenon::cli {

struct Session {
  const Arguments& arguments;
  ApiClient& client;
  Output& output;

  // Complains and returns kNoHost for a host that does not run, else kFailed.
  int fail(const Error& error);
  // The same for an answer that is no success: kFailed.
  int refused(const ApiReply& reply);
  // Prints; a reader that has gone is a quiet end, not a failure.
  int print(std::string_view text);
};

// The ids of the command line as one segment of a path.
std::string joined_names(const Arguments& arguments);

// One group of verbs a function; each returns the exit code.
int show_document(
    Session& session);  // info, ps, tree, status, routes, transports, health, plugin list, deadletters list
int act_on_processes(Session& session);   // start, stop, restart, pause, resume, kill
int publish_event(Session& session);      // send, request
int tail_events(Session& session);        // tail
int print_logs(Session& session);         // logs
int change_config(Session& session);     // reload, diff, scale
int shut_down(Session& session);          // shutdown
int upgrade(Session& session);            // upgrade
int show_top(Session& session);           // top

}  // namespace tenon::cli
