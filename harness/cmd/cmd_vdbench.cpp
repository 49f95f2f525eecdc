// SPDX-License-Identifier: Apache-2.0
// vdbench's own command line: -f a b, -e60 or -e 60, -vr, name=value, and what follows a '+'. It
// ends with 0 or with vdbench's 157.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <vector>

#include "harness/cmd/command.h"
#include "harness/cmd/stdout_text.h"
#include "harness/cmd/vdbench_words.h"
#include "workloads/vdbench/plan.h"
#include "workloads/vdbench/plan_text.h"

namespace stallproof {
namespace {

constexpr int kFailed = 157;  // exit(-99), which wrappers test for

constexpr const char* kHelp =
    "  -f FILE…       parameter files, taken as one\n"
    "  -s             say what would be run, in vdbench's own lines, and end\n"
    "  -e S, -i S, -w S   elapsed, interval and warmup of every run, in seconds\n"
    "  -v, -vr, -vw, -vt, -j  with data validation\n"
    "  -co, -cy, -cn  every format only, yes, no\n"
    "  name=value     replaces $name and !name in the files\n"
    "  + rd=words     added to every run definition that stands on one line\n"
    "Any error ends with 157, as vdbench does.\n"
    "This version plans parameter files and does not run them yet: -s is needed.";

Result<int> run(const std::vector<std::string>& words) {
  const auto given = read_vdbench_words(words);
  if (!given) {
    say_on_stderr(given.error().what);
    return kFailed;
  }
  const auto plan = plan_parameter_files(given->files, given->values, given->options);
  if (!plan) {
    say_on_stderr(plan.error().what);
    return kFailed;
  }
  std::vector<std::string> ignored = given->ignored;
  for (const std::string& keyword : plan->ignored) ignored.push_back(keyword + "=");
  if (!ignored.empty()) say_on_stderr(fmt::format("ignored: {}", fmt::join(ignored, " ")));
  if (!given->simulate) {
    say_on_stderr("vdbench: parameter files are planned and not run yet (try -s)");
    return kFailed;
  }
  if (auto written = write_stdout(plan_text(*plan)); !written) return Failure(written.error());
  return 0;
}

}  // namespace

RunCommand add_vdbench(CLI::App& app) {
  app.prefix_command();
  app.footer(kHelp);
  return [&app] { return run(app.remaining()); };
}

}  // namespace stallproof
