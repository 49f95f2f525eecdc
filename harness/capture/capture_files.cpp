// SPDX-License-Identifier: Apache-2.0
#include "harness/capture/capture_files.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "harness/base/bounded.h"
#include "harness/base/file.h"
#include "harness/base/units.h"
#include "harness/base/version.h"
#include "harness/explain/render.h"
#include "harness/explain/snapshot_text.h"

namespace stallproof {
namespace {

using Json = nlohmann::ordered_json;

std::string pretty(const Json& document) {
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

// How many tasks sleep at the same place: the first look of anybody who opens a capture.
std::string waits_text(const LockSnapshot& snapshot) {
  std::map<std::string, unsigned> counts;
  for (const TaskRow& task : snapshot.tasks) {
    std::string place = std::string(1, task.state);
    for (std::size_t i = 0; i < task.stack.size() && i < 4; ++i)
      place += (i == 0 ? "  " : " < ") + task.stack[i].function;
    ++counts[place];
  }
  std::vector<std::pair<unsigned, std::string>> rows;
  for (const auto& [place, count] : counts) rows.emplace_back(count, place);
  std::sort(rows.rbegin(), rows.rend());
  std::string text;
  for (const auto& [count, place] : rows) text += fmt::format("{:7}  {}\n", count, place);
  return text;
}

std::string fuse_text(const LockSnapshot& snapshot) {
  std::string text = "connection waiting servers requests\n";
  for (const FuseConnection& each : snapshot.fuse) {
    std::string servers;
    for (const std::int32_t server : each.server_tgids)
      servers += (servers.empty() ? "" : ",") + std::to_string(server);
    text += fmt::format("{} {} {} {}\n", each.number, each.waiting, servers, each.requests.size());
  }
  return text;
}

// A link, a pipe or a device is nobody's old archive.
bool may_be_archive(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) != 0 || S_ISREG(info.st_mode);
}

int write_all(const std::string& directory, const std::string& archive_path,
              const std::vector<ArchiveFile>& files, const std::string& packed) {
  if (!may_be_archive(archive_path)) return ENOTUNIQ;
  if (::access(directory.c_str(), F_OK) == 0 && ::rmdir(directory.c_str()) != 0) return EEXIST;
  if (!make_directories(directory)) return errno == 0 ? EACCES : errno;
  for (const ArchiveFile& file : files) {
    errno = 0;
    if (!write_file_atomically(directory + "/" + file.name, file.content))
      return errno == 0 ? EIO : errno;
  }
  errno = 0;
  if (!write_file_atomically(archive_path, packed)) return errno == 0 ? EIO : errno;
  return 0;
}

}  // namespace

std::string incident_json(const CaptureFacts& facts) {
  utsname name{};
  ::uname(&name);
  return pretty({{"schema", 1},
                 {"id", "capture"},
                 {"class", facts.explanation.stall_class},
                 {"signature", facts.explanation.signature},
                 {"captured", format_rfc3339(facts.realtime_ns)},
                 {"node", name.nodename},
                 {"kernel", name.release},
                 {"tool_version", std::string(tool_version())},
                 {"lens", facts.look.lens},
                 {"complete", facts.look.complete},
                 {"tasks", facts.look.snapshot.tasks.size()},
                 {"problems", facts.problems}});
}

std::vector<ArchiveFile> capture_files(const CaptureFacts& facts) {
  const LockSnapshot& snapshot = facts.look.snapshot;
  std::vector<ArchiveFile> files{{"incident.json", incident_json(facts)},
                                 {"explanation.txt", render_text(facts.explanation)},
                                 {"explanation.json", render_json(facts.explanation)},
                                 {"graph.svg", render_svg(facts.explanation)},
                                 {"graph.dot", render_dot(facts.explanation)},
                                 {"snapshot.json", snapshot_json(snapshot)},
                                 {"stacks.txt", stacks_text(snapshot)},
                                 {"waits.txt", waits_text(snapshot)},
                                 {"fuse.txt", fuse_text(snapshot)},
                                 {"sources.json", sources_json(facts.sources)}};
  for (const SourceResult& source : facts.sources) files.push_back({source.file, source.text});
  return files;
}

Result<> write_capture(const std::string& directory, const std::string& archive_path,
                       const std::vector<ArchiveFile>& files, Nanos realtime_ns,
                       Deadline deadline) {
  const std::string folder = directory.substr(directory.rfind('/') + 1);
  const auto packed = make_tar_gz(folder, files, static_cast<std::int64_t>(realtime_ns / kSecond));
  if (!packed) return Failure(packed.error());
  const int error =
      run_bounded([&] { return write_all(directory, archive_path, files, *packed); }, deadline);
  if (error == 0) return {};
  const std::string why = error == EEXIST      ? "is there already and not empty"
                          : error == ENOTUNIQ  ? "what lies at " + archive_path + " is no file"
                          : error == ETIMEDOUT ? "the disk did not answer in time"
                                               : std::strerror(error);
  return fail(fmt::format("{}: {}", directory, why));
}

}  // namespace stallproof
