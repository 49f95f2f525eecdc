// SPDX-License-Identifier: Apache-2.0
#include "harness/probe/fs_modules.h"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>

#include "harness/base/bounded.h"
#include "harness/base/file.h"
#include "harness/base/first_line.h"
#include "harness/base/open_directory.h"

namespace stallproof {
namespace {

constexpr Nanos kLibraryWithin = kSecond;
constexpr std::size_t kMostRelated = 32;

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

std::vector<std::string> entries_of(const std::string& folder) {
  std::vector<std::string> names;
  const OpenDirectory dir = open_directory(folder);
  if (!dir) return names;
  while (const dirent* entry = ::readdir(dir.get()))
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  std::sort(names.begin(), names.end());
  return names;
}

// sysfs has '_' where a file's name may have '-'.
std::string as_in_sysfs(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

// "alias fs-ext3 ext4"
std::string aliased(const std::string& type, const ModuleSources& sources) {
  const auto text = sources.library("modules.alias");
  if (!text) return {};
  std::istringstream lines(*text);
  const std::string wanted = "alias fs-" + type + " ";
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(wanted)) return as_in_sysfs(line.substr(wanted.size()));
  return {};
}

// "kernel/fs/ext4/ext4.ko"
bool listed_as_built_in(const std::string& name, const ModuleSources& sources) {
  const auto text = sources.library("modules.builtin");
  if (!text) return false;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);)
    if (as_in_sysfs(line.substr(line.rfind('/') + 1)) == name + ".ko") return true;
  return false;
}

FsModule read_module(const std::string& name, const ModuleSources& sources) {
  const std::string folder = sources.sysfs + "/" + name;
  return {.name = name,
          .version = first_line(folder + "/version"),
          .srcversion = first_line(folder + "/srcversion"),
          .built_in = !exists(folder + "/initstate")};  // which only what was loaded has
}

// A module without parameters that is built in leaves nothing in sysfs.
bool is_part_of_the_kernel(const std::string& name, const ModuleSources& sources) {
  const auto loaded = read_file(sources.loaded);
  return !loaded || loaded->empty() || listed_as_built_in(name, sources);
}

void add(const std::string& name, const ModuleSources& sources, std::vector<FsModule>& into) {
  const auto again = [&name](const FsModule& each) { return each.name == name; };
  if (into.size() < kMostRelated && std::none_of(into.begin(), into.end(), again))
    into.push_back(read_module(name, sources));
}

}  // namespace

ModuleSources module_sources() {
  ModuleSources sources;
  sources.library = [](const std::string& name) -> std::optional<std::string> {
    utsname kernel{};
    if (::uname(&kernel) != 0) return std::nullopt;
    auto text = read_file_bounded(fmt::format("/lib/modules/{}/{}", kernel.release, name),
                                  Deadline::in(kLibraryWithin));
    if (!text) return std::nullopt;
    return std::move(*text);
  };
  return sources;
}

std::vector<FsModule> modules_of_fs(const std::string& fstype, const ModuleSources& sources) {
  const std::string type = fstype.substr(0, fstype.find('.'));
  // What comes from a file may not lead out of the folder.
  if (type.empty() || type.find('/') != std::string::npos) return {};
  std::string name = as_in_sysfs(type);
  if (!exists(sources.sysfs + "/" + name))
    if (std::string other = aliased(type, sources); !other.empty()) name = std::move(other);
  if (!exists(sources.sysfs + "/" + name)) {
    if (!is_part_of_the_kernel(name, sources)) return {};
    return {FsModule{.name = name, .version = {}, .srcversion = {}, .built_in = true}};
  }
  std::vector<FsModule> found;
  add(name, sources, found);
  for (const std::string& user : entries_of(sources.sysfs + "/" + name + "/holders"))
    add(user, sources, found);
  for (const std::string& other : entries_of(sources.sysfs))
    if (exists(sources.sysfs + "/" + other + "/holders/" + name)) add(other, sources, found);
  return found;
}

std::string module_words(const FsModule& module) {
  if (module.built_in) return module.name + " (built into the kernel)";
  std::string words = module.name;
  if (!module.version.empty()) words += " " + module.version;
  if (!module.srcversion.empty()) words += fmt::format(" (srcversion {})", module.srcversion);
  return words;
}

}  // namespace stallproof
