// Do the plugins exist that the config names, and do they accept what it says to them?
#include <algorithm>
#include <filesystem>
#include <set>

#include "app/config_draft.hpp"
#include "common/json_pointer.hpp"
#include "common/text.hpp"

namespace tenon::app {

namespace {

using loader::SurveyedPlugin;

class PluginCheck {
 public:
  PluginCheck(ConfigReader& reader, const ConfigDraft& draft)
      : reader_(reader), draft_(draft), survey_(draft.options.survey(draft.host.plugin_directories)) {}

  void check(const PluginUse& use) {
    const std::string* schema = schema_of(use);
    if (schema == nullptr) return missing(use);
    if (!draft_.options.schema_check) return;
    for (const SchemaFinding& finding : findings(*schema, use.config)) {
      const JsonValue at = use.config_at ? follow_json_pointer(*use.config_at, finding.pointer).value : use.at;
      // Next to the finding's own place there may be more to say, for instance which member is missing.
      reader_.refuse(at, use.config_at ? finding.sentence
                                       : "the plugin " + quote_for_message(use.name) + " needs a \"config\": " +
                                             finding.sentence);
    }
  }

 private:
  // Of the component that a host would load; null if there is none.
  const std::string* schema_of(const PluginUse& use) {
    const auto [known, fresh] = schemas_.try_emplace({use.kind, use.name});
    if (!fresh) return known->second;
    if (const SurveyedPlugin* plugin = loader::find_offer(survey_, use.kind, use.name)) {
      for (const auto& component : plugin->identity->components) {
        if (component.kind == use.kind && component.name == use.name) known->second = &component.schema;
      }
    }
    return known->second;
  }

  const std::vector<SchemaFinding>& findings(const std::string& schema, const std::string& config) {
    const auto [known, fresh] = findings_.try_emplace({&schema, config});
    if (fresh) known->second = draft_.options.schema_check(schema, config);
    return known->second;
  }

  void missing(const PluginUse& use) {
    // A default that is missing is missing for everybody: said once.
    if (!use.named && !told_.insert({use.kind, use.name}).second) return;
    std::string text = "no plugin directory offers the " + use.kind + " " + quote_for_message(use.name);
    std::vector<std::string_view> names;
    for (const SurveyedPlugin& plugin : survey_) {
      if (!plugin.identity) {
        if (std::filesystem::path(plugin.place.path).stem() == use.name) {
          text += "; " + plugin.place.path + " is refused: " + plugin.identity.error().message;
        }
        continue;
      }
      for (const auto& component : plugin.identity->components) {
        if (component.kind == use.kind) names.push_back(component.name);
      }
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    const std::string near = suggestion(use.name, names);
    if (!near.empty()) {
      text += near;
    } else if (names.empty()) {
      text += "; add the directory of its plugin to plugins.directories";
    } else {
      text += "; they offer " + join(names, ", ");
    }
    reader_.refuse(use.at, text);
  }

  ConfigReader& reader_;
  const ConfigDraft& draft_;
  std::vector<SurveyedPlugin> survey_;
  std::map<std::pair<std::string, std::string>, const std::string*> schemas_;
  std::map<std::pair<const std::string*, std::string>, std::vector<SchemaFinding>> findings_;
  std::set<std::pair<std::string, std::string>> told_;
};

}  // namespace

std::string use_plugin(ConfigReader& reader, ConfigDraft& draft, PluginUse use) {
  if (use.config_at) {
    if (!use.config_at->is_object()) {
      reader.wrong(*use.config_at, "an object");
      return "{}";
    }
    use.config = reader.expanded_json(*use.config_at);
  }
  std::string config = use.config;
  draft.plugins.push_back(std::move(use));
  return config;
}

void check_plugins(ConfigReader& reader, const ConfigDraft& draft) {
  if (!draft.options.survey || draft.options.replay) return;
  PluginCheck check(reader, draft);
  for (const PluginUse& use : draft.plugins) check.check(use);
}

}  // namespace tenon::app
