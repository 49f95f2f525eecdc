// SPDX-License-Identifier: Apache-2.0
#include "workloads/injector/left_things.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <sstream>

#include "harness/base/fd.h"
#include "harness/base/file.h"
#include "workloads/injector/dm_device.h"
#include "workloads/injector/ffs_control.h"
#include "workloads/injector/nfs_server.h"
#include "workloads/injector/null_device.h"

namespace stallproof {
namespace {

constexpr std::size_t kFileLimit = 1U << 16U;

struct Kind {
  std::string_view name;
  Result<> (*lift)(const std::string& name);
  Result<> (*remove)(const std::string& name);
};

Result<> nothing(const std::string&) { return {}; }

constexpr std::array kKinds{
    Kind{"dm", resume_dm_device, remove_dm_device},
    Kind{"nfsd", nothing, stop_nfs_server},
    Kind{"null_blk", nothing, remove_null_device},
    Kind{"ffs-hold", release_ffs_lock, nothing},
    Kind{"ffs-abort", [](const std::string&) { return abort_ffs(true); },
         [](const std::string&) { return abort_ffs(false); }},
};

const Kind* find_kind(const std::string& name) {
  const auto* const found = std::find_if(kKinds.begin(), kKinds.end(),
                                         [&name](const Kind& kind) { return kind.name == name; });
  return found == kKinds.end() ? nullptr : found;
}

std::string file_of(const std::string& directory) { return directory + "/things"; }

}  // namespace

Result<> note_thing(const std::string& directory, const LeftThing& thing) {
  const std::string path = file_of(directory);
  const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  const std::string line = thing.kind + " " + thing.name + "\n";
  if (!file.valid() ||
      ::write(file.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    return fail_errno("write " + path, errno, {}, Origin::infra);
  return {};
}

std::vector<LeftThing> noted_things(const std::string& directory) {
  std::vector<LeftThing> things;
  const auto text = read_file(file_of(directory), kFileLimit);
  if (!text) return things;
  std::istringstream words(*text);
  LeftThing thing;
  while (words >> thing.kind >> thing.name)
    if (find_kind(thing.kind) != nullptr) things.push_back(thing);
  return things;
}

void forget_things(const std::string& directory) { ::unlink(file_of(directory).c_str()); }

Result<> lift_thing(const LeftThing& thing) {
  const Kind* const kind = find_kind(thing.kind);
  return kind == nullptr ? Result<>{} : kind->lift(thing.name);
}

Result<> remove_thing(const LeftThing& thing) {
  const Kind* const kind = find_kind(thing.kind);
  return kind == nullptr ? Result<>{} : kind->remove(thing.name);
}

}  // namespace stallproof
