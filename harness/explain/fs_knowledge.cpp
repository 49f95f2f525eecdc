// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/fs_knowledge.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <utility>

#include "harness/base/file.h"
#include "harness/explain/fs_shipped.h"

namespace stallproof {
namespace {

constexpr std::string_view kKeys =
    "module, service, waits_for_service, waits_for_lock, locks_client_mm, idle, advice";

Failure fail_at(const std::string& source, const toml::source_region& where,
                const std::string& what) {
  return fail(fmt::format("{}:{}:{}: {}", source, where.begin.line, where.begin.column, what));
}

Result<> read_patterns(const toml::node& node, const std::string& key, FsFile& file,
                       std::vector<FsPattern>& into) {
  const toml::array* list = node.as_array();
  if (list == nullptr)
    return fail_at(file.source, node.source(), key + " must be a list of names in quotes");
  for (const toml::node& entry : *list) {
    const auto* text = entry.as_string();
    if (text == nullptr || text->get().empty())
      return fail_at(file.source, entry.source(), key + " holds something that is not a name");
    into.push_back({.glob = text->get(), .line = entry.source().begin.line});
  }
  return {};
}

Result<> read_text(const toml::node& node, const std::string& key, const FsFile& file,
                   std::string& into) {
  const auto* text = node.as_string();
  if (text == nullptr)
    return fail_at(file.source, node.source(), key + " must be a text in quotes");
  into = text->get();
  return {};
}

Result<> read_key(const std::string& key, const toml::node& node, FsFile& file) {
  if (key == "module") return read_text(node, key, file, file.module);
  if (key == "advice") return read_text(node, key, file, file.advice);
  if (key == "service") return read_patterns(node, key, file, file.service);
  if (key == "waits_for_service") return read_patterns(node, key, file, file.waits_for_service);
  if (key == "waits_for_lock") return read_patterns(node, key, file, file.waits_for_lock);
  if (key == "locks_client_mm") return read_patterns(node, key, file, file.locks_client_mm);
  if (key == "idle") return read_patterns(node, key, file, file.idle);
  return fail_at(file.source, node.source(),
                 fmt::format("unknown key '{}' (known: {})", key, kKeys));
}

Result<FsFile> parse_fs(std::string_view text, const std::string& source) {
  FsFile file;
  file.source = source;
  file.name = std::filesystem::path(source).stem().string();
  try {
    const toml::table table = toml::parse(text, source);
    for (const auto& entry : table) {
      const std::string key{entry.first.str()};
      if (auto read = read_key(key, entry.second, file); !read) return fail(read.error().what);
    }
  } catch (const toml::parse_error& error) {
    return fail_at(source, error.source(), std::string{error.description()});
  }
  return file;
}

}  // namespace

Result<FsKnowledge> FsKnowledge::shipped() {
  FsKnowledge knowledge;
  for (const ShippedFs& file : shipped_fs_files()) {
    if (auto added = knowledge.add_text(file.toml, std::string{file.file_name}); !added)
      return fail(added.error().what, Origin::infra);
  }
  return knowledge;
}

Result<> FsKnowledge::add_text(std::string_view toml, const std::string& source) {
  auto file = parse_fs(toml, source);
  if (!file) return fail(file.error().what);
  const auto same = std::find_if(files_.begin(), files_.end(),
                                 [&file](const FsFile& known) { return known.name == file->name; });
  if (same != files_.end()) files_.erase(same);
  files_.insert(files_.begin(), std::move(*file));
  return {};
}

Result<> FsKnowledge::add_file(const std::string& path) {
  auto text = read_file(path);
  if (!text)
    return fail("--fs: " + text.error().what +
                    " (give a TOML file that says what a file system's functions mean)",
                text.error().origin);
  return add_text(*text, path);
}

Result<> FsKnowledge::add_directory(const std::string& path) {
  std::error_code error;
  std::vector<std::string> found;
  std::filesystem::directory_iterator entry(path, error);
  if (error == std::errc::no_such_file_or_directory) return {};
  while (!error && entry != std::filesystem::directory_iterator()) {
    if (entry->path().extension() == ".toml") found.push_back(entry->path().string());
    entry.increment(error);
  }
  if (error) return fail(fmt::format("read folder {}: {}", path, error.message()));
  std::sort(found.begin(), found.end());
  for (const std::string& file : found)
    if (auto added = add_file(file); !added) return added;
  return {};
}

Result<FsKnowledge> load_fs_knowledge(const std::vector<std::string>& extra_files,
                                      const std::string& site_directory) {
  auto knowledge = FsKnowledge::shipped();
  if (!knowledge) return knowledge;
  if (auto added = knowledge->add_directory(site_directory); !added)
    return fail(added.error().what, added.error().origin);
  for (const std::string& file : extra_files)
    if (auto added = knowledge->add_file(file); !added)
      return fail(added.error().what, added.error().origin);
  return knowledge;
}

std::string cite(const FsFile& file, std::string_view key, const FsPattern& pattern) {
  return fmt::format("{}:{} {} \"{}\"", file.source, pattern.line, key, pattern.glob);
}

}  // namespace stallproof
