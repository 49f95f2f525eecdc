// SPDX-License-Identifier: Apache-2.0
// A file to begin with, fitted to the directories under test: a night, or a plan for one run.
#include <fcntl.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <memory>
#include <nlohmann/json.hpp>

#include "harness/base/fd.h"
#include "harness/cmd/command.h"
#include "harness/run/nightly/night_file.h"
#include "harness/run/nightly/night_plan.h"
#include "harness/run/plan/target_plan.h"
#include "harness/run/preflight/preflight.h"
#include "harness/sink/console.h"
#include "harness/store/run_dir.h"

namespace stallproof {
namespace {

struct InitWords {
  std::vector<std::string> targets;
  std::string out;
  bool plan = false, json = false;
};

// The last part of a path, as far as it may be the name of a plan.
std::string plan_name(const std::string& path) {
  std::string name;
  for (const char c : path.substr(path.rfind('/') + 1))
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_') name += c;
  return name.empty() ? "soak" : name.substr(0, 32);
}

Result<> write_new(const std::string& path, const std::string& text) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file.valid())
    return fail_errno("init: " + path, errno,
                      errno == EEXIST
                          ? "it is left as it is: give another one with -o"
                          : "give a file with -o in a directory that can be written to");
  if (::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size())) return {};
  const int failed = errno;
  ::unlink(path.c_str());
  return fail_errno("init: write " + path, failed);
}

// Both are read back before they are written: what is written runs as it is.
Result<std::string> plan_text(const TargetLook& target, const std::string& file) {
  auto text = target_plan_text(target, {.name = plan_name(target.path), .size = std::nullopt});
  if (!text) return text;
  if (const auto plan = parse_plan(*text, file); !plan) return Failure(plan.error());
  return text;
}

Result<std::string> night_text(const std::vector<TargetLook>& targets, const std::string& file) {
  const std::string state = state_directory();
  const auto free = free_bytes_at(state);
  if (!free) return Failure(free.error());
  auto text = night_file_text(plan_name(targets.front().path), targets, state, *free);
  if (!text) return text;
  if (const auto night = parse_night(*text, file); !night) return Failure(night.error());
  return text;
}

std::string told_as_json(const InitWords& words, const std::string& file) {
  const nlohmann::ordered_json told{{"schema", 1},
                                    {"file", file},
                                    {"kind", words.plan ? "plan" : "night"},
                                    {"targets", words.targets},
                                    {"command", {"stallproof", "run", file}}};
  return told.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

Result<int> init(const InitWords& words) {
  std::vector<TargetLook> targets;
  for (const std::string& each : words.targets) {
    auto target = look_at_target(each);
    if (!target) return fail("init: " + target.error().what, target.error().origin);
    targets.push_back(std::move(*target));
  }
  if (words.plan && targets.size() > 1) return fail("init: --plan is for one --target");
  const std::string file = !words.out.empty() ? words.out
                           : words.plan       ? "plan.toml"
                                              : "nightly.toml";
  const auto text = words.plan ? plan_text(targets.front(), file) : night_text(targets, file);
  if (!text) return fail("init: " + text.error().what, text.error().origin);
  if (auto written = write_new(file, *text); !written) return Failure(written.error());
  Console console({.json = words.json});
  if (words.json)
    console.document(told_as_json(words, file));
  else
    console.result(fmt::format("{}: run it with stallproof run {}", file, file));
  if (!console.lost_output()) return 0;
  console.problem("standard output did not take the result");
  return 3;
}

}  // namespace

RunCommand add_init(CLI::App& app) {
  const auto words = std::make_shared<InitWords>();
  app.add_option("--target", words->targets, "Directory under test; may be repeated")
      ->required()
      ->allow_extra_args(false);
  app.add_flag("--plan", words->plan, "A plan for one run, instead of nights");
  app.add_option("-o,--out", words->out,
                 "File to write; never overwritten (default: nightly.toml, or plan.toml)");
  app.add_flag("--json", words->json, "One JSON document on stdout and nothing else");
  return [words] { return init(*words); };
}

}  // namespace stallproof
