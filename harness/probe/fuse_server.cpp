// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/fuse_server.h"

#include <fmt/format.h>
#include <limits.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <vector>

#include "harness/base/bounded.h"
#include "harness/base/directory.h"
#include "harness/base/file.h"
#include "harness/probe/process_tree.h"

namespace stallproof {
namespace {

constexpr const char* kConnection = "fuse_connection:\t";

std::string link_at(const std::string& path) {
  char target[PATH_MAX];
  const ssize_t length = ::readlink(path.c_str(), target, sizeof target);
  return length < 0 ? "" : std::string(target, static_cast<std::size_t>(length));
}

struct Seen {
  pid_t of_connection = 0;         // has it open
  std::vector<pid_t> have_device;  // have some connection open
  bool told = false;               // descriptors tell their connection
  bool hidden = false;             // somebody's descriptors cannot be seen
};

void look_at(const std::string& proc_root, const std::string& pid, std::uint32_t connection,
             Seen& seen) {
  const std::string process = proc_root + "/" + pid;
  const auto number = static_cast<pid_t>(std::strtol(pid.c_str(), nullptr, 10));
  if (::access((process + "/fd").c_str(), R_OK) != 0 && errno == EACCES) seen.hidden = true;
  for (const std::string& fd : numbers_in(process + "/fd")) {
    if (link_at(process + "/fd/" + fd) != "/dev/fuse") continue;
    if (seen.have_device.empty() || seen.have_device.back() != number)
      seen.have_device.push_back(number);
    const auto facts = read_file(process + "/fdinfo/" + fd, 4096);
    const std::size_t at = facts ? facts->find(kConnection) : std::string::npos;
    if (at == std::string::npos) continue;
    seen.told = true;
    const char* const told = facts->c_str() + at + std::char_traits<char>::length(kConnection);
    if (std::strtoul(told, nullptr, 10) == connection && seen.of_connection == 0)
      seen.of_connection = number;
  }
}

// In a child: "PID\nCOMM\nEXE", as far as it comes.
int tell_server(const std::string& proc_root, std::uint32_t connection, int into) {
  Seen seen;
  for (const std::string& pid : numbers_in(proc_root)) {
    look_at(proc_root, pid, connection, seen);
    if (seen.of_connection != 0) break;
  }
  pid_t server = seen.of_connection;
  if (!seen.told && !seen.hidden && seen.have_device.size() == 1) server = seen.have_device.front();
  if (server == 0) return ENOENT;
  const std::string comm = name_of_process(server, proc_root);
  const std::string facts =
      fmt::format("{}\n{}\n{}", server, comm, link_at(fmt::format("{}/{}/exe", proc_root, server)));
  return ::write(into, facts.data(), facts.size()) < 0 ? errno : 0;
}

}  // namespace

std::optional<FuseServer> find_fuse_server(std::uint32_t connection, Nanos within,
                                           const std::string& proc_root) {
  const BoundedText told = text_bounded(
      [&](int into) { return tell_server(proc_root, connection, into); }, Deadline::in(within));
  const std::size_t first = told.text.find('\n');
  const std::size_t second = told.text.find('\n', first == std::string::npos ? first : first + 1);
  if (told.error != 0 || second == std::string::npos) return std::nullopt;
  return FuseServer{.pid = static_cast<pid_t>(std::strtol(told.text.c_str(), nullptr, 10)),
                    .comm = told.text.substr(first + 1, second - first - 1),
                    .exe = told.text.substr(second + 1)};
}

}  // namespace stallproof
