// SPDX-License-Identifier: Apache-2.0
#include "harness/run/vdbench/run_commands.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <sstream>

#include "harness/base/bounded.h"

namespace stallproof {
namespace {

constexpr Nanos kCommandMayTake = 60 * kSecond;
constexpr Nanos kMonitorMayTake = kSecond;

}  // namespace

std::string run_shell(const std::string& command, VdbenchSession& session, VdbenchOutput& output) {
  const BoundedText answer = text_bounded(
      [&](int into) {
        ::dup2(into, STDOUT_FILENO);
        ::dup2(into, STDERR_FILENO);
        ::execl("/bin/sh", "sh", "-c", command.c_str(), static_cast<char*>(nullptr));
        return errno;
      },
      Deadline::in(kCommandMayTake));
  session.log_event(
      nlohmann::ordered_json{{"event", "command"}, {"command", command}, {"error", answer.error}}
          .dump());
  output.status("Executed command: " + command);
  if (answer.error == ETIMEDOUT)
    output.error(fmt::format("{}: has not ended within {} s and was given up", command,
                             kCommandMayTake / kSecond));
  return answer.text;
}

void run_command(const ShellCommand& command, VdbenchSession& session, VdbenchOutput& output) {
  if (command.command.empty()) return;
  std::istringstream lines(run_shell(command.command, session, output));
  for (std::string line; std::getline(lines, line);) {
    if (command.to_console || command.to_summary)
      output.say(line);
    else
      output.log(line);
  }
}

std::string monitor_wish(const std::string& path) {
  const auto text = read_file_bounded(path, Deadline::in(kMonitorMayTake));
  if (!text) return {};
  std::istringstream words(*text);
  std::string word;
  words >> word;
  return word;
}

void clear_monitor(const std::string& path) {
  if (path.empty()) return;
  run_bounded(
      [&path] {
        std::FILE* const file = std::fopen(path.c_str(), "w");
        if (file == nullptr) return errno;
        std::fclose(file);
        return 0;
      },
      Deadline::in(kMonitorMayTake));
}

}  // namespace stallproof
