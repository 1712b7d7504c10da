// The documented example of a config file, and the files that it names.
#pragma once

#include <string>

#include <pwd.h>
#include <unistd.h>

#include "unit/app/config_fixture.hpp"

namespace tenon::app {

// @USER@: "nobody" where the tests run as root, else who runs them.
inline constexpr const char* kExample = R"jsonc({
  "include": ["conf.d/*.json"],                      // errors name the included file
  "node": "alpha",                                   // default: the host name
  "plugins": { "directories": ["plugins"], "watch": true },
  "control": { "socket": "run/tenon.sock", "http": { "listen": "127.0.0.1:7070", "token_file": "token" } },
  "logging": { "level": "info", "format": "text" },  // or "json"
  "engine": { "hang_timeout": "10s" },
  "limits": { "events": "256MiB" },                  // all mailboxes and the journal together
  "transports": {
    "bus": {
      "plugin": "nats", "url": "nats://127.0.0.1:4222", "timeout": "2s", "retry_attempts": 5,
      "pool": { "min": 1, "max": 4, "acquire_timeout": "1s", "idle_timeout": "60s", "max_lifetime": "30m" },
      "circuit_breaker": { "failure_rate": 0.5, "slow_call": "500ms", "window": 20, "minimum_calls": 10,
                           "open_for": "5s", "half_open_calls": 3 },
      "health_check": { "interval": "5s", "timeout": "1s" },
      "config": {}                                   // the plugin's own, checked against the plugin's schema
    }
  },
  "routes": [
    { "topic": "task.result.>", "to": ["bus"] },               // local events out
    { "from": "bus", "topic": "task.assignment.>" },            // subscribed at the transport, delivered locally
    { "topic": "audit.>", "to": ["bus"], "as": "alpha.{topic}" }
  ],
  "schemas": { "directories": ["schemas"], "mode": "enforce" }, // or "warn", "off"
  "dead_letters": { "capacity": 10000 },             // their own bounded store
  "supervision": {
    "strategy": "one_for_one",                       // one_for_all, rest_for_one
    "intensity": { "restarts": 5, "period": "10s" },
    "on_limit": "fail_child",                        // the root's default
    "children": [
      {
        "id": "counter", "replicas": 3,              // counter.1 … counter.3, also with 1
        "command": ["./counter", "--fast"], "cwd": ".", "user": "@USER@",
        "env": { "MODE": "x" }, "env_file": "counter.env", "inherit_env": false,
        "channel": { "kind": "stdio", "framing": "line", "serializer": "json", "max_event": "1MiB" },
        "subscribe": [ { "topic": "task.assignment.>", "group": "counters" } ],
        "publish": ["task.>"],                       // absent: anything but system.> and tenon.>
        "mailbox": { "capacity": 10000, "bytes": "64MiB", "overflow": "dead_letter" }, // drop_oldest, reject, block
        "delivery": { "mode": "at_least_once", "max_in_flight": 16, "ack_timeout": "30s", "attempts": 5 },
        "ready": { "on": "event", "timeout": "10s" },
        "restart": { "policy": "always",               // on_failure, never, a plugin's name
                     "config": { "initial": "50ms", "factor": 2, "max": "30s", "jitter": 0.1, "reset_after": "60s" } },
        "health": [ { "check": "heartbeat", "interval": "5s", "timeout": "1s", "start_period": "10s",
                      "unhealthy_after": 3, "healthy_after": 1, "on_unhealthy": "restart", "config": {} } ],
        "limits": { "memory": "256MiB", "cpu": 0.5, "processes": 64, "open_files": 1024, "core": "0B" },
        "stop": { "signal": "TERM", "drain": "2s", "grace": "5s" },
        "depends_on": ["broker"]                     // started after it is ready, stopped before it
      },
      { "id": "pipeline", "supervisor": { "strategy": "rest_for_one", "children": [] } }
    ]
  }
})jsonc";

class ConfigExampleFixture : public ConfigFixture {
 protected:
  // Writes all that the example names, and returns its text.
  std::string prepare_example() {
    std::filesystem::create_directory(directory / "plugins");
    std::filesystem::create_directory(directory / "schemas");
    write("token", "secret", 0600);
    write("counter", "#!/bin/sh\n", 0755);
    write("counter.env", "# a comment\nFROM_FILE=1=2\nMODE=weaker\n");
    write("conf.d/broker.json", R"({"supervision": {"children": [{"id": "broker", "command": ["true"]}]}})");
    std::string text = kExample;
    const std::string user = ::geteuid() == 0 ? "nobody" : ::getpwuid(::geteuid())->pw_name;
    text.replace(text.find("@USER@"), 6, user);
    return text;
  }
  LoadedConfig load_example() { return load(prepare_example()); }
};

}  // namespace tenon::app
