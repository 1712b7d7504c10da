// The plugin's identity.
#include <tenon/sdk/plugin.hpp>

#include "transport.hpp"

TENON_PLUGIN_NOTE("local", "1.0.0", "Tenon", "MIT",
                  TENON_NOTE_COMPONENT(TENON_KIND_TRANSPORT, "local", TENON_JSON({
                    "type" : "object",
                    "x-tenon-url-schemes" : ["unix"],
                    "additionalProperties" : false,
                    "properties" : {
                      "mode" : {
                        "enum" : [ "auto", "listen", "connect" ],
                        "default" : "auto",
                        "description" : "Who listens at the socket: whoever comes first, this host, or another one"
                      },
                      "max_frame" : {
                        "type" : [ "string", "integer" ],
                        "pattern" : "^[0-9]+([.][0-9]+)?(B|KiB|MiB|GiB|kB|KB|MB|GB)?$",
                        "default" : "4MiB",
                        "description" : "The largest event with its header, 64KiB to 1GiB"
                      },
                      "max_buffer" : {
                        "type" : [ "string", "integer" ],
                        "pattern" : "^[0-9]+([.][0-9]+)?(B|KiB|MiB|GiB|kB|KB|MB|GB)?$",
                        "default" : "4MiB",
                        "description" : "What may wait for one connection, in each direction, 64KiB to 1GiB"
                      }
                    }
                  })))

TENON_EXPORT_PLUGIN("local", "1.0.0",
                    {TENON_KIND_TRANSPORT, "local", tenon::sdk::transport_table<tenon::local::Transport>()})
