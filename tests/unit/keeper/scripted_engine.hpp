// The engine that the keeper's tests run: it does what the test tells it over a socket, one text a packet, and
// tells what the keeper says. Also the main of the test executable in the roles of keeper and engine.
#pragma once

namespace tenon::keeper {

// Where the test listens for engines (SOCK_SEQPACKET path).
inline constexpr const char* kControlVariable = "TENON_TEST_CONTROL";
// Options of run_keeper in milliseconds: "shutdown hang greeting unavailable".
inline constexpr const char* kKeeperVariable = "TENON_TEST_KEEPER";
// Engines with a higher ordinal than this die at once.
inline constexpr const char* kLastEngineVariable = "TENON_TEST_LAST_ENGINE";

int keeper_role();
int engine_role();

}  // namespace tenon::keeper
