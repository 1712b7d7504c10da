// The plugin's identity.
#include <tenon/sdk/plugin.hpp>

#include "transport.hpp"

TENON_PLUGIN_NOTE(
    "nats", "1.0.0", "Tenon", "MIT",
    TENON_NOTE_COMPONENT(TENON_KIND_TRANSPORT, "nats", TENON_JSON({
      "type" : "object",
      "x-tenon-url-schemes" : [ "nats", "tls" ],
      "additionalProperties" : false,
      "properties" : {
        "name" : {"type" : "string", "description" : "Of the connection, shown by the server; default: node/instance"},
        "user" : {"type" : "string", "minLength" : 1, "description" : "As the server knows this host; with password"},
        "password" : {"type" : "string", "description" : "Of user; write ${NAME} to keep it out of the file"},
        "token" : {"type" : "string", "minLength" : 1, "description" : "What the server's authorization calls token"},
        "creds_file" : {"type" : "string", "minLength" : 1, "description" : "User JWT and nkey seed, as nsc writes"},
        "nkey" : {
          "type" : "object",
          "description" : "Authentication by a signature; both members are needed",
          "additionalProperties" : false,
          "required" : [ "public_key", "seed_file" ],
          "properties" : {
            "public_key" : {"type" : "string", "minLength" : 1, "description" : "The user's, as the server knows it"},
            "seed_file" : {"type" : "string", "minLength" : 1, "description" : "Absolute path to its seed"}
          }
        },
        "tls" : {
          "type" : "object",
          "description" : "Encrypts the connection, as a url with tls:// does",
          "additionalProperties" : false,
          "properties" : {
            "ca_file" : {"type" : "string", "minLength" : 1, "description" : "Default: the system's certificates"},
            "cert_file" : {"type" : "string", "minLength" : 1, "description" : "This host's own; needs key_file"},
            "key_file" : {"type" : "string", "minLength" : 1, "description" : "The private key of cert_file"},
            "verify" : {"type" : "boolean", "default" : true, "description" : "Whether the server's must be trusted"},
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
