// SPDX-License-Identifier: Apache-2.0
// The tree of an anchor, in memory: which folders and files belong to it, what they are called,
// which of them are there and who works on them. It knows all this by arithmetic and a few bytes
// for each file, touches no disk, and says nothing of files that are not its own.
//
// Folders are numbered level by level, in a level by the last part of their name and then by the
// parts before it; files folder by folder. Numbers and sizes are those of vdbench. All functions
// but plan() may be called by any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "harness/base/prng.h"
#include "harness/base/result.h"
#include "workloads/files/file_job.h"
#include "workloads/files/file_sizes.h"

namespace stallproof {

using FileNumber = std::uint32_t;
using FolderNumber = std::uint32_t;

inline constexpr const char* kControlFile = "vdb_control.file";

// How a workload chooses its next file.
struct FileChoice {
  bool random = false, once = false;
  double poisson_midpoint = 0;
};

class AnchorTree {
 public:
  // With `format` the working set does not count: all files of the total size are made.
  static Result<std::unique_ptr<AnchorTree>> plan(const JobAnchor& anchor, bool format);
  AnchorTree(const AnchorTree&) = delete;
  AnchorTree& operator=(const AnchorTree&) = delete;

  [[nodiscard]] const JobAnchor& anchor() const { return anchor_; }
  [[nodiscard]] FolderNumber folders() const { return folder_count_; }
  [[nodiscard]] FileNumber files() const { return file_count_; }
  // Of total size and working set; all without them.
  [[nodiscard]] FileNumber used_files() const {
    return used_.empty() ? file_count_ : static_cast<FileNumber>(used_.size());
  }
  [[nodiscard]] FileNumber used_file(FileNumber at) const { return used_.empty() ? at : used_[at]; }

  [[nodiscard]] std::string folder_path(FolderNumber folder) const;
  [[nodiscard]] std::string file_path(FileNumber file) const;
  [[nodiscard]] std::string control_path() const { return anchor_.path + "/" + kControlFile; }
  // "vdb_f0007.file" is 7; nothing when the name is none of a file.
  static std::optional<FileNumber> number_of_name(const char* name);
  [[nodiscard]] std::optional<FolderNumber> parent(FolderNumber folder) const;  // none: the anchor
  [[nodiscard]] std::vector<FolderNumber> children(FolderNumber folder) const;
  [[nodiscard]] FolderNumber folder_of(FileNumber file) const {
    return first_folder_with_files_ + file / static_cast<FileNumber>(anchor_.files);
  }
  [[nodiscard]] std::uint64_t size_of(FileNumber file) const {
    return sizes_.size_of(drawn_.empty() ? 0 : drawn_[file]);
  }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

  // Users of a file: several share it, or one has it alone. False: it is taken.
  bool take(FileNumber file, bool share);
  bool take_alone(FileNumber file);
  void leave(FileNumber file);
  // Of a folder, against others that make or remove it.
  bool take_folder(FolderNumber folder);
  void leave_folder(FolderNumber folder);

  [[nodiscard]] bool exists(FileNumber file) const { return (word(file) & kExists) != 0; }
  [[nodiscard]] bool full(FileNumber file) const { return (word(file) & kFull) != 0; }
  [[nodiscard]] bool copied(FileNumber file) const { return (word(file) & kCopied) != 0; }
  void set_copied(FileNumber file) { files_[file].fetch_or(kCopied); }
  [[nodiscard]] std::uint64_t current_size(FileNumber file) const;
  void set_there(FileNumber file, std::uint64_t size);  // made, or of another size now
  void set_gone(FileNumber file);
  // Where the sequential work on it ended, for stopafter=.
  [[nodiscard]] std::uint64_t last_offset(FileNumber file) const;
  void set_last_offset(FileNumber file, std::uint64_t offset);

  [[nodiscard]] bool folder_exists(FolderNumber folder) const {
    return (folders_[folder].load(std::memory_order_acquire) & kExists) != 0;
  }
  [[nodiscard]] bool parent_exists(FolderNumber folder) const;
  [[nodiscard]] std::uint32_t files_in(FolderNumber folder) const { return in_folder_[folder]; }
  void set_folder_there(FolderNumber folder);
  void set_folder_gone(FolderNumber folder);

  // Among the used files.
  [[nodiscard]] std::int64_t existing_files() const { return existing_; }
  [[nodiscard]] std::int64_t existing_folders() const { return existing_folders_; }

  // Nothing when all were given out once, for those who asked for that.
  std::optional<FileNumber> next_file(const FileChoice& choice, Prng& prng);
  FolderNumber next_folder(bool random, Prng& prng);
  void begin_round() { file_cursor_ = 0; }

 private:
  static constexpr std::uint32_t kExists = 1, kFull = 2, kSelected = 4, kCopied = 8, kAlone = 16,
                                 kUnused = 32;  // not of the used files
  static constexpr std::uint32_t kUser = 256;   // and upwards: how many share it

  struct Extra {
    std::uint64_t size = 0;  // of a file that is not full
    std::uint64_t last = 0;
  };
  struct FolderPlace {
    int level = 1;
    std::uint64_t rank = 0;  // by the parts of its name from the first on
  };

  explicit AnchorTree(const JobAnchor& anchor) : anchor_(anchor), sizes_(anchor.sizes) {}
  Result<> count();
  Result<> reserve();
  void draw_sizes();
  void mark_unused();
  Result<> use_bytes(double wanted, std::uint64_t there, const char* what);
  [[nodiscard]] std::optional<FileNumber> next_once(Prng& prng);
  [[nodiscard]] FolderPlace place_of(FolderNumber folder) const;
  [[nodiscard]] FolderNumber number_at(FolderPlace place) const;
  [[nodiscard]] std::uint32_t word(FileNumber file) const {
    return files_[file].load(std::memory_order_acquire);
  }

  JobAnchor anchor_;
  FileSizes sizes_;
  FolderNumber folder_count_ = 0, first_folder_with_files_ = 0;
  FileNumber file_count_ = 0;
  std::uint64_t bytes_ = 0;
  std::vector<std::uint64_t> power_;          // of the width
  std::vector<FolderNumber> first_of_level_;  // by level - 1
  std::vector<std::uint32_t> drawn_;          // by file; empty: all sizes are equal
  std::vector<FileNumber> used_;              // ascending; empty: all
  std::unique_ptr<std::atomic<std::uint32_t>[]> files_, folders_, in_folder_;
  std::atomic<std::int64_t> existing_ = 0, existing_folders_ = 0;
  std::atomic<std::uint64_t> file_cursor_ = 0, folder_cursor_ = 0, selected_ = 0;
  mutable std::mutex lock_;  // of extra_
  std::unordered_map<FileNumber, Extra> extra_;
};

}  // namespace stallproof
