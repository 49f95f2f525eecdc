// SPDX-License-Identifier: Apache-2.0
#include "workloads/files/anchor_disk.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cstring>
#include <memory>
#include <string_view>

#include "harness/base/file.h"
#include "harness/base/open_directory.h"

namespace stallproof {
namespace {

bool skip_digits(std::string_view& text) {
  const std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
  if (end == 0) return false;
  text.remove_prefix(end);
  return true;
}

bool skip_text(std::string_view& text, std::string_view wanted) {
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(wanted.size());
  return true;
}

Failure scan_fault(const AnchorTree& tree, const std::string& path, int error) {
  return fail_errno(fmt::format("fsd={}: {}", tree.anchor().name, path), error);
}

Result<> scan_folder(AnchorTree& tree, FolderNumber folder) {
  const std::string path = tree.folder_path(folder);
  const OpenDirectory open = open_directory(path);
  if (!open) {
    if (errno == ENOENT) return {};
    return scan_fault(tree, path, errno);
  }
  tree.set_folder_there(folder);
  while (const dirent* const entry = ::readdir(open.get())) {
    const auto file = AnchorTree::number_of_name(entry->d_name);
    if (!file || *file >= tree.files() || tree.folder_of(*file) != folder) continue;
    struct stat info {};
    if (::fstatat(::dirfd(open.get()), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) continue;  // others may work on it
      return scan_fault(tree, tree.file_path(*file), errno);
    }
    if (S_ISREG(info.st_mode)) tree.set_there(*file, static_cast<std::uint64_t>(info.st_size));
  }
  return {};
}

}  // namespace

Result<> check_anchor(const JobAnchor& anchor, bool create) {
  struct stat info {};
  const std::string what = fmt::format("fsd={}: anchor {}", anchor.name, anchor.path);
  if (::stat(anchor.path.c_str(), &info) == 0)
    return S_ISDIR(info.st_mode) ? Result<>() : fail_errno(what, ENOTDIR);
  if (errno != ENOENT || !create)
    return fail_errno(what, errno, errno == ENOENT ? "make it, or say create_anchors=yes" : "");
  return make_directories(anchor.path);
}

Result<> scan_tree(AnchorTree& tree, Deadline deadline) {
  for (FolderNumber folder = 0; folder < tree.folders(); ++folder) {
    if (deadline.passed())
      return fail(fmt::format("fsd={}: a look at the {} folders below {} took too long",
                              tree.anchor().name, tree.folders(), tree.anchor().path),
                  Origin::infra);
    if (!tree.parent_exists(folder)) continue;
    if (auto scanned = scan_folder(tree, folder); !scanned) return scanned;
  }
  return {};
}

void assume_complete(AnchorTree& tree) {
  for (FolderNumber folder = 0; folder < tree.folders(); ++folder) tree.set_folder_there(folder);
  for (FileNumber file = 0; file < tree.files(); ++file) tree.set_there(file, tree.size_of(file));
}

// vdb.<level>_<number>.dir
bool is_folder_name(const char* name) {
  std::string_view text = name;
  return skip_text(text, "vdb.") && skip_digits(text) && skip_text(text, "_") &&
         skip_digits(text) && text == ".dir";
}

// vdb_f<number>.file
bool is_file_name(const char* name) {
  std::string_view text = name;
  return skip_text(text, "vdb_f") && skip_digits(text) && text == ".file";
}

}  // namespace stallproof
