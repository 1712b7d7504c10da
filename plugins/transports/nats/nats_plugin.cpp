// The plugin's identity.
#include <tenon/sdk/plugin.hpp>

#include "transport.hpp"

TENON_PLUGIN_NOTE(
    "nats", "1.0.0", "Tenon", "MIT",
    TENON_NOTE_COMPONENT(TENON_KIND_TRANSPORT, "nats", TENON_JSON({
      "type" : "object",
      "additionalProperties" : false,
      "properties" : {
        "name" : {"type" : "string", "description" : "Of the connection, shown by the server; default: node/instance"},
        "user" : {"type" : "string", "minLength" : 1},
        "password" : {"type" : "string"},
        "token" : {"type" : "string", "minLength" : 1},
        "creds_file" : {"type" : "string", "minLength" : 1, "description" : "User JWT and nkey seed, as nsc writes"},
        "nkey" : {
          "type" : "object",
          "additionalProperties" : false,
          "required" : [ "public_key", "seed_file" ],
          "properties" : {
            "public_key" : {"type" : "string", "minLength" : 1},
            "seed_file" : {"type" : "string", "minLength" : 1}
          }
        },
        "tls" : {
          "type" : "object",
          "additionalProperties" : false,
          "properties" : {
            "ca_file" : {"type" : "string", "minLength" : 1, "description" : "Default: the system's certificates"},
            "cert_file" : {"type" : "string", "minLength" : 1},
            "key_file" : {"type" : "string", "minLength" : 1},
            "verify" : {"type" : "boolean", "default" : true},
            "hostname" : {
              "type" : "string",
              "minLength" : 1,
              "description" : "Expected in the certificate; default: the url's host, if that is one name"
            }
          },
          "dependencies" : {"cert_file" : ["key_file"], "key_file" : ["cert_file"]}
        },
        "max_pending" : {
          "type" : [ "string", "integer" ],
          "pattern" : "^[0-9]+([.][0-9]+)?(B|KiB|MiB|GiB|kB|KB|MB|GB)?$",
          "default" : "64MiB",
          "description" : "What may wait for the server, and what may wait for this host; at least 64KiB"
        },
        "reconnect_wait" : {
          "type" : "string",
          "pattern" : "^[0-9]+([.][0-9]+)?(ms|s|m)$",
          "default" : "500ms",
          "description" : "Between two attempts at the same server, plus a fifth of jitter"
        }
      }
    })))

TENON_EXPORT_PLUGIN("nats", "1.0.0",
                    {TENON_KIND_TRANSPORT, "nats", tenon::sdk::transport_table<tenon::nats::Transport>()})
