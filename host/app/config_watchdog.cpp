// Which processes are to send WATCHDOG=1, and how often at least: a health check's schema says which of its properties
// is that limit, as "x-tenon-watchdog": "max_age" with the property's "default" beside it. The process gets it as
// WATCHDOG_USEC, in microseconds, and a socket to speak to.
#include <algorithm>

#include "app/config_draft.hpp"
#include "app/start_digest.hpp"
#include "common/json_document.hpp"
#include "common/units.hpp"

namespace tenon::app {
namespace {

// "max_age=30s": the property and its default. Empty: the check is no watchdog, or nobody offers it.
std::string watchdog_property(const std::vector<loader::SurveyedPlugin>& survey, const std::string& check) {
  const loader::SurveyedPlugin* plugin = loader::find_offer(survey, "health_check", check);
  if (plugin == nullptr) return {};
  for (const auto& component : plugin->identity->components) {
    if (component.kind != "health_check" || component.name != check) continue;
    const auto schema = JsonDocument::parse(component.schema, "schema");
    const auto mark = schema ? schema->root().find("x-tenon-watchdog") : std::nullopt;
    const auto name = mark ? mark->as_string() : std::nullopt;
    if (!name) return {};
    const auto properties = schema->root().find("properties");
    const auto property = properties ? properties->find(*name) : std::nullopt;
    const auto usual = property ? property->find("default") : std::nullopt;
    return std::string(*name) + "=" + std::string(usual ? usual->as_string().value_or("") : "");
  }
  return {};
}

// 0: none is given, or none that could be read, which the schema refuses.
Duration limit_of(const std::string& property, const std::string& config) {
  const std::size_t equals = property.find('=');
  std::string text = property.substr(equals + 1);
  if (const auto document = JsonDocument::parse(config, "config"); document.ok()) {
    const auto given = document->root().find(property.substr(0, equals));
    if (given) text = given->as_string().value_or("");
  }
  const auto limit = parse_duration(text);
  return limit.ok() ? *limit : Duration::zero();
}

}  // namespace

void give_watchdogs(ConfigReader& reader, ConfigDraft& draft) {
  std::optional<std::vector<loader::SurveyedPlugin>> survey;
  const auto property_of = [&](const std::string& check) {
    return reader.machine().fact("watchdog/" + check, [&] {
      if (!draft.options.survey) return std::string();
      if (!survey) survey = draft.options.survey(draft.host.plugin_directories);
      return watchdog_property(*survey, check);
    });
  };
  for (const auto& process : draft.checked) {
    Duration least = Duration::max();
    for (const runtime::HealthConfig& health : process->health) {
      const std::string property = property_of(health.check);
      const Duration limit = property.empty() ? Duration::zero() : limit_of(property, health.config);
      if (limit > Duration::zero()) least = std::min(least, limit);
    }
    if (least == Duration::max()) continue;
    process->notify = true;
    const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(least).count();
    process->env.push_back("WATCHDOG_USEC=" + std::to_string(microseconds));
    process->start_digest = start_digest(*process, *draft.host.workers.at(process->id));
  }
}

}  // namespace tenon::app
