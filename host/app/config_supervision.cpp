// The supervision tree: supervisors, ids, dependencies.
#include <charconv>
#include <set>

#include "app/config_draft.hpp"
#include "common/text.hpp"
#include "runtime/dependency_graph.hpp"

namespace tenon::app {

using namespace std::chrono_literals;
using runtime::AutoShutdown;
using runtime::Intensity;
using runtime::OnLimit;
using runtime::Strategy;
using runtime::SupervisorConfig;

namespace {

constexpr std::size_t kMaxChildren = 100'000;
constexpr std::size_t kMaxDependencies = 1000;

constexpr Choice<Strategy> kStrategies[] = {{"one_for_one", Strategy::one_for_one},
                                            {"one_for_all", Strategy::one_for_all},
                                            {"rest_for_one", Strategy::rest_for_one}};
constexpr Choice<OnLimit> kOnLimits[] = {{"fail_child", OnLimit::fail_child}, {"escalate", OnLimit::escalate}};

constexpr Choice<AutoShutdown> kAutoShutdowns[] = {{"never", AutoShutdown::never},
                                                   {"any_significant", AutoShutdown::any_significant},
                                                   {"all_significant", AutoShutdown::all_significant}};

constexpr Key<Intensity> kIntensityKeys[] = {
    {"restarts",
     [](ConfigReader& reader, const JsonValue& at, Intensity& out) { reader.whole(at, out.restarts, 0, 1'000'000); }},
    {"period",
     [](ConfigReader& reader, const JsonValue& at, Intensity& out) { reader.duration(at, out.period, 1ms, 24h); }},
};
const Section<Intensity> kIntensity{"intensity", kIntensityKeys};

struct SupervisorDraft {
  ConfigDraft& all;
  SupervisorConfig& config;
  std::size_t depth = 0;
};

void read_children(ConfigReader& reader, const JsonValue& at, SupervisorDraft& out);

constexpr Key<SupervisorDraft> kSupervisorKeys[] = {
    {"strategy", [](ConfigReader& reader, const JsonValue& at,
                    SupervisorDraft& out) { reader.choice<Strategy>(at, out.config.strategy, kStrategies); }},
    {"intensity", [](ConfigReader& reader, const JsonValue& at,
                     SupervisorDraft& out) { read_section(reader, at, kIntensity, out.config.intensity); }},
    {"on_limit", [](ConfigReader& reader, const JsonValue& at,
                    SupervisorDraft& out) { reader.choice<OnLimit>(at, out.config.on_limit, kOnLimits); }},
    {"auto_shutdown",
     [](ConfigReader& reader, const JsonValue& at, SupervisorDraft& out) {
       reader.choice<AutoShutdown>(at, out.config.auto_shutdown, kAutoShutdowns);
     }},
    {"children", read_children, KeyRule::adds},
};
const Section<SupervisorDraft> kRootSupervisor{"supervision", kSupervisorKeys, {}, true};
const Section<SupervisorDraft> kSupervisor{"supervisor", kSupervisorKeys};

// A child that is a supervisor. Its id is read by the caller.
struct NestedDraft {
  SupervisorDraft supervisor;
};
constexpr Key<NestedDraft> kNestedKeys[] = {
    {"id", [](ConfigReader&, const JsonValue&, NestedDraft&) {}},
    {"supervisor", [](ConfigReader& reader, const JsonValue& at,
                      NestedDraft& out) { read_section(reader, at, kSupervisor, out.supervisor); }},
    {"significant", [](ConfigReader& reader, const JsonValue& at,
                       NestedDraft& out) { reader.boolean(at, out.supervisor.config.significant); }},
    {"depends_on", [](ConfigReader& reader, const JsonValue& at, NestedDraft& out) {
       SupervisorConfig& config = out.supervisor.config;
       read_depends_on(reader, at, config.id, out.supervisor.all, config.depends_on);
     }},
};
const Section<NestedDraft> kNested{"nested", kNestedKeys, {"id", "supervisor"}};

// The child's id; its JSON path where it has none that will do, so that reading goes on.
std::string read_id(ConfigReader& reader, const JsonValue& child, ConfigDraft& draft) {
  const auto at = child.find("id");
  std::string id;
  if (!at || !reader.identifier(*at, id)) return child.path();
  if (id == "root") {
    reader.refuse(*at, "\"root\" is the name of the root supervisor; choose another id",
                  "another id");
    return child.path();
  }
  const auto [first, fresh] = draft.ids.emplace(id, *at);
  if (!fresh) reader.refuse(*at, "the id is used at " + first->second.where() + " already; give one another id",
                            "an id that no other child has");
  return id;
}

void read_child(ConfigReader& reader, const JsonValue& at, SupervisorDraft& parent) {
  if (!at.is_object()) {
    reader.wrong(at, "a child such as {\"id\": \"counter\", \"command\": [\"./counter\"]}");
    return;
  }
  const std::string id = read_id(reader, at, parent.all);
  if (const auto significant = at.find("significant")) parent.all.significant.push_back({*significant, &parent.config});
  const auto nested = at.find("supervisor");
  if (!nested) return read_process(reader, at, id, parent.all, parent.config);
  if (const auto command = at.find("command")) {
    reader.refuse_key(*command, "a child has \"command\" or \"supervisor\", not both; make two children",
                      "\"command\" or \"supervisor\"");
    return;
  }
  if (parent.depth == kMaxSupervisorDepth) {
    reader.refuse(*nested, "supervisors are nested more than 16 deep; flatten the tree");
    return;
  }
  auto config = std::make_shared<SupervisorConfig>();
  config->id = id;
  NestedDraft draft{{parent.all, *config, parent.depth + 1}};
  read_section(reader, at, kNested, draft);
  if (!config->depends_on.empty()) parent.all.dependency_lists.push_back(&config->depends_on);
  parent.config.children.push_back(std::shared_ptr<const SupervisorConfig>(std::move(config)));
}

void read_children(ConfigReader& reader, const JsonValue& at, SupervisorDraft& out) {
  reader.array(at, kMaxChildren, "children", [&](const JsonValue& one) { read_child(reader, one, out); });
}

// "counter.2", where "counter" has at least two replicas.
bool is_replica(const ConfigDraft& draft, std::string_view name) {
  const std::size_t dot = name.find('.');
  if (dot == name.npos) return false;
  const auto base = draft.replicas.find(std::string(name.substr(0, dot)));
  if (base == draft.replicas.end()) return false;
  const std::string_view number = name.substr(dot + 1);
  std::uint32_t index = 0;
  const auto [end, failed] = std::from_chars(number.data(), number.data() + number.size(), index);
  // std::to_string: "02" is nobody's name.
  return failed == std::errc() && std::to_string(index) == number && index >= 1 && index <= base->second;
}

bool check_names(ConfigReader& reader, const ConfigDraft& draft) {
  bool fine = true;
  std::vector<std::string_view> names;
  for (const NameUse& use : draft.dependencies) {
    if (draft.ids.find(use.name) != draft.ids.end() || is_replica(draft, use.name)) continue;
    if (names.empty()) {
      for (const auto& [id, at] : draft.ids) names.push_back(id);
    }
    const std::string near = suggestion(use.name, names);
    fine = reader.refuse(use.at, "there is no child " + quote_for_message(use.name) +
                                     (near.empty() ? "; name the id of another child" : near),
                         "the id of another child");
  }
  return fine;
}

// The dependency in the cycle that stands first in the config; the graph knows names, not places.
const NameUse* place_of_cycle(const ConfigDraft& draft, const std::string& cycle) {
  const NameUse* second_best = nullptr;
  for (const NameUse& use : draft.dependencies) {
    const auto has = [&](const std::string& name) {
      return cycle.find(" " + name + " →") != cycle.npos || cycle.find("→ " + name + " →") != cycle.npos ||
             cycle.find("→ " + name + ";") != cycle.npos;
    };
    if (!has(use.name)) continue;
    if (has(use.owner)) return &use;
    if (second_best == nullptr) second_best = &use;
  }
  return second_best;
}

}  // namespace

void read_depends_on(ConfigReader& reader, const JsonValue& at, const std::string& owner, ConfigDraft& draft,
                     std::vector<std::string>& out) {
  reader.array(at, kMaxDependencies, "ids of other children", [&](const JsonValue& one) {
    std::string name;
    if (!reader.nonempty(one, name, "the id of another child")) return;
    draft.dependencies.push_back({name, one, owner});
    out.push_back(std::move(name));
  });
}

void read_supervision(ConfigReader& reader, const JsonValue& at, ConfigDraft& draft) {
  SupervisorDraft root{draft, draft.root};
  read_section(reader, at, kRootSupervisor, root);
}

void check_significance(ConfigReader& reader, const ConfigDraft& draft) {
  for (const auto& [at, parent] : draft.significant) {
    if (at.as_bool() != true || parent->auto_shutdown != AutoShutdown::never) continue;
    reader.warn(at, "has no effect, because its supervisor never stops by itself; give that \"auto_shutdown\", or leave "
                    "this out");
  }
}

void check_dependencies(ConfigReader& reader, const JsonValue& main, ConfigDraft& draft) {
  // A child scaled to nothing is waited for by nobody; the graph does not know it.
  for (std::vector<std::string>* names : draft.dependency_lists) {
    std::erase_if(*names, [&](const std::string& name) {
      const auto replicas = draft.replicas.find(name);
      return replicas != draft.replicas.end() && replicas->second == 0;
    });
  }
  const bool fine = reader.problem_count() == 0;
  const bool known = check_names(reader, draft);
  std::set<const NameUse*> told;  // the replicas of one child close a cycle each
  for (const Error& error : runtime::DependencyGraph::check(draft.root)) {
    const bool cycle = error.code == errc::invalid_argument;
    if (!cycle && !(fine && known)) continue;  // said already
    const NameUse* use = place_of_cycle(draft, error.message);
    if (use == nullptr || told.insert(use).second) {
      reader.refuse(use != nullptr ? use->at : main, error.message, cycle ? "dependencies without a cycle" : "");
    }
  }
}

void describe_supervision(std::vector<SectionKeys>& out) {
  out.push_back(keys_of(kRootSupervisor));
  out.push_back(keys_of(kSupervisor));
  out.push_back(keys_of(kIntensity));
  out.push_back(keys_of(kNested));
}

}  // namespace tenon::app
