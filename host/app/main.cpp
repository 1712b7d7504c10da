// The entry of the one binary: a person's verb, the keeper of `tenon run`, or the engine that the keeper started.
#include "app/main_verbs.hpp"
#include "cli/cli.hpp"

int main(int argc, char** argv) { return tenon::cli::run(argc, argv, tenon::app::local_verbs()); }
