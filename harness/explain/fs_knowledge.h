// SPDX-License-Identifier: Apache-2.0
// What function and thread names of a file system mean, as data: one TOML file per file system.
// Keys: module (text), service (thread names), waits_for_service, waits_for_lock, locks_client_mm,
// idle (function names; '*' matches any run), advice (text). Any other key is an error. An edge of
// the explanation that comes from such a file cites its file and line. Loading reads files and may
// block: called by commands before anything is explained.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"

namespace stallproof {

struct FsPattern {
  std::string glob;
  std::size_t line = 0;
};

struct FsFile {
  std::string name;    // "ffs": the file's name without folder and .toml
  std::string source;  // as cited: "ffs.toml" when shipped, else the path it was read from
  std::string module;
  std::vector<FsPattern> service;
  std::vector<FsPattern> waits_for_service;
  std::vector<FsPattern> waits_for_lock;
  std::vector<FsPattern> locks_client_mm;
  std::vector<FsPattern> idle;
  std::string advice;
};

class FsKnowledge {
 public:
  FsKnowledge() = default;
  // The files built into this program.
  static Result<FsKnowledge> shipped();

  // A later file replaces an earlier one of the same name, and is asked before the others.
  // Errors name source:line:column.
  Result<> add_text(std::string_view toml, const std::string& source);
  Result<> add_file(const std::string& path);
  // Every *.toml in the folder, by name; a folder that does not exist is no error.
  Result<> add_directory(const std::string& path);

  [[nodiscard]] const std::vector<FsFile>& files() const { return files_; }

 private:
  std::vector<FsFile> files_;  // the one to ask first comes first
};

inline constexpr const char* kSiteFsDirectory = "/etc/stallproof/fs.d";

// What commands use: shipped files, then the site's folder, then each --fs FILE.
Result<FsKnowledge> load_fs_knowledge(const std::vector<std::string>& extra_files,
                                      const std::string& site_directory = kSiteFsDirectory);

// ffs.toml:4 waits_for_service "lock_blkgrp_sync"
std::string cite(const FsFile& file, std::string_view key, const FsPattern& pattern);

}  // namespace stallproof
