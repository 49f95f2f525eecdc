// SPDX-License-Identifier: Apache-2.0
// A plan to begin with, fitted to a directory under test.
#include <fcntl.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <memory>

#include "harness/base/fd.h"
#include "harness/cmd/command.h"
#include "harness/run/plan/target_plan.h"
#include "harness/sink/console.h"

namespace stallproof {
namespace {

struct Words {
  std::string target, out = "plan.toml";
  bool quiet = false;
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
                      errno == EEXIST ? "it is left as it is: give another one with -o" : "");
  if (::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size())) return {};
  const int failed = errno;
  ::unlink(path.c_str());
  return fail_errno("init: write " + path, failed);
}

Result<int> init(const Words& words) {
  const auto target = look_at_target(words.target);
  if (!target) return fail("init: " + target.error().what, target.error().origin);
  const TargetPlanWish wish{.name = plan_name(target->path), .size = std::nullopt};
  const auto text = target_plan_text(*target, wish);
  if (!text) return fail("init: " + text.error().what);
  if (const auto plan = parse_plan(*text, words.out); !plan) return Failure(plan.error());
  if (auto written = write_new(words.out, *text); !written) return Failure(written.error());
  Console console({.quiet = words.quiet});
  console.result(fmt::format("{}: run it with stallproof run {}", words.out, words.out));
  return 0;
}

}  // namespace

RunCommand add_init(CLI::App& app) {
  const auto words = std::make_shared<Words>();
  app.add_option("--target", words->target, "Directory under test")->required();
  app.add_option("-o,--out", words->out, "File to write; never overwritten")->capture_default_str();
  return [words] { return init(*words); };
}

}  // namespace stallproof
