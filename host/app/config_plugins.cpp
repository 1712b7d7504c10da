// Do the plugins exist that the config names, and do they accept what it says to them?
#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>

#include "app/config_draft.hpp"
#include "common/json_document.hpp"
#include "common/json_pointer.hpp"
#include "common/text.hpp"

namespace tenon::app {

namespace {

using loader::SurveyedPlugin;

// What a component's schema says beside the shape of its config. Read once: thousands of processes use the same few.
struct SchemaMarks {
  std::string text;
  bool needs_channel = false;                              // "x-tenon-needs-channel"
  std::vector<std::string> url_beginnings;                 // "x-tenon-url-schemes", with "://"; empty: any
  std::vector<std::pair<std::string, std::string>> paths;  // properties with "x-tenon-path", and what it says

  explicit SchemaMarks(std::string schema) : text(std::move(schema)) {
    const auto document = JsonDocument::parse(text, "schema");
    if (!document.ok()) return;
    const JsonValue root = document->root();
    if (const auto mark = root.find("x-tenon-needs-channel")) needs_channel = mark->as_bool().value_or(false);
    if (const auto schemes = root.find("x-tenon-url-schemes"); schemes && schemes->is_array())
      for (const JsonValue scheme : schemes->elements())
        url_beginnings.push_back(std::string(scheme.as_string().value_or("")) + "://");
    const auto properties = root.find("properties");
    if (!properties || !properties->is_object()) return;
    for (const JsonMember property : properties->members())
      if (const auto mark = property.value.find("x-tenon-path"))
        paths.emplace_back(property.key, mark->as_string().value_or(""));
  }
};

class PluginCheck {
 public:
  PluginCheck(ConfigReader& reader, const ConfigDraft& draft)
      : reader_(reader), draft_(draft), survey_(draft.options.survey(draft.host.plugin_directories)) {}

  void check(const PluginUse& use) {
    const SchemaMarks* schema = schema_of(use);
    if (schema == nullptr) return missing(use);
    if (use.transport) check_url(use, *schema);
    if (use.without_channel && schema->needs_channel) tell_of_channel(use);
    check_paths(use, *schema);
    if (!draft_.options.schema_check) return;
    for (const SchemaFinding& finding : findings(schema->text, use.config)) {
      if (use.config_at) tell(finding, *use.config_at, schema->text);
      else
        reader_.refuse(use.at,
                       "the plugin " + quote_for_message(use.name) + " needs a \"config\": " + finding.sentence,
                       expectation(finding.sentence));
    }
  }

 private:
  // What a finding of the form "found …, expected …" expects; empty if it has another form.
  static std::string expectation(const std::string& sentence) {
    constexpr std::string_view kBefore = ", expected ";
    const std::size_t at = sentence.find(kBefore);
    return at == sentence.npos ? std::string() : sentence.substr(at + kBefore.size());
  }

  // What was found is quoted as the operator wrote it: the finding saw it with the environment's values in it.
  void tell(const SchemaFinding& finding, const JsonValue& config, const std::string& schema) {
    const JsonValue at = follow_json_pointer(config, finding.pointer).value;
    const std::string expected = expectation(finding.sentence);
    if (expected.empty()) {
      reader_.refuse(at, finding.sentence);
      return;
    }
    constexpr std::string_view kNoMember = "no member ";
    if (expected.starts_with(kNoMember)) {
      const auto name = JsonDocument::parse(expected.substr(kNoMember.size()), "finding");
      const auto member = name.ok() ? at.find(name->root().as_string().value_or("")) : std::nullopt;
      if (member) return unknown_key(*member, finding.pointer, schema);
    }
    reader_.wrong(at, expected);
  }

  // The schema's own "properties" along the way say what could have been meant; without them nothing is suggested.
  void unknown_key(const JsonValue& member, const std::string& pointer, const std::string& schema) {
    std::string near, expected = "no key of this name";
    if (const auto document = JsonDocument::parse(schema, "schema"); document.ok()) {
      std::string way;
      for (const std::string_view token : split(pointer, '/'))
        if (!token.empty()) way += "/properties/" + std::string(token);
      const PointerTarget known = follow_json_pointer(document->root(), way + "/properties");
      std::vector<std::string_view> names;
      if (known.found && known.value.is_object())
        for (const JsonMember one : known.value.members()) names.push_back(one.key);
      near = suggestion(member.key(), names);
      if (!names.empty()) expected = "one of " + join(names, ", ");
    }
    reader_.refuse_key(member, "the plugin knows no key of this name here" + (near.empty() ? "; leave it out" : near),
                       expected);
  }

  // It watches what its process says to the host.
  void tell_of_channel(const PluginUse& use) {
    reader_.warn(use.at, "the check " + quote_for_message(use.name) +
                             " hears of its process by the channel only, and this one has none; give it one "
                             "(\"channel\"), or take another check");
  }

  void check_url(const PluginUse& use, const SchemaMarks& schema) {
    if (schema.url_beginnings.empty()) return;
    std::string expected;
    for (const std::string& begin : schema.url_beginnings) {
      if (use.url.starts_with(begin) && use.url.size() > begin.size()) return;
      expected += (expected.empty() ? "a url that begins with " : " or ") + quote_for_message(begin);
    }
    if (const auto at = use.transport->find("url")) reader_.wrong(*at, expected);
    else
      reader_.refuse(*use.transport,
                     "\"url\" is missing; the plugin " + quote_for_message(use.name) + " needs " + expected,
                     "the key \"url\"");
  }

  // A "program" (of a list, its first element) or a "directory". Looked at as the host will use it: relative to the file
  // it stands in. What is searched in PATH is left to the process.
  void check_paths(const PluginUse& use, const SchemaMarks& schema) {
    if (!use.config_at || schema.paths.empty()) return;
    const auto config = JsonDocument::parse(use.config, "config");
    if (!config.ok()) return;
    for (const auto& [key, kind] : schema.paths) {
      const auto given = config->root().find(key), at = use.config_at->find(key);
      if (!given || !at || (given->is_array() && given->size() == 0)) continue;
      const auto path = (given->is_array() ? given->at(0) : *given).as_string();
      if (!path) continue;
      const std::string wrong = wrong_with(kind, std::string(*path), *at);
      if (!wrong.empty()) reader_.doubt(at->is_array() ? at->at(0) : *at, wrong);
    }
  }

  std::string wrong_with(std::string_view kind, const std::string& path, const JsonValue& at) {
    const std::string whole = path.starts_with('/') ? path : reader_.directory_of(at) + "/" + path;
    if (kind == "directory") return reader_.machine().wrong_with_directory(whole);
    if (kind != "program" || path.find('/') == std::string::npos) return {};
    return reader_.machine().wrong_with_command(whole, {});
  }

  // Of the component that a host would load; null if there is none.
  const SchemaMarks* schema_of(const PluginUse& use) {
    const auto [known, fresh] = schemas_.try_emplace({use.kind, use.name});
    const SurveyedPlugin* plugin = fresh ? loader::find_offer(survey_, use.kind, use.name) : nullptr;
    if (plugin != nullptr) {
      for (const auto& component : plugin->identity->components) {
        if (component.kind == use.kind && component.name == use.name) known->second.emplace(component.schema);
      }
    }
    return known->second ? &*known->second : nullptr;
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
    // A default that nobody wrote was not found in the file.
    const std::string expected = names.empty() ? "the name of a component" : "one of " + join(names, ", ");
    reader_.refuse(use.at, text, use.named ? expected : "");
  }

  ConfigReader& reader_;
  const ConfigDraft& draft_;
  std::vector<SurveyedPlugin> survey_;
  std::map<std::pair<std::string, std::string>, std::optional<SchemaMarks>> schemas_;
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
