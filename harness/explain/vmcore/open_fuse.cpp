// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/open_fuse.h"

#include <algorithm>
#include <array>
#include <set>
#include <unordered_map>
#include <utility>

namespace stallproof {
namespace {

constexpr std::uint32_t kFuseDevice = (10U << 20U) | 229U;  // MISC_MAJOR, FUSE_MINOR
constexpr std::uint64_t kFlags = 7;                         // in private_data, since 6.17
constexpr std::uint64_t kMostFiles = 1U << 22U;             // of one process
constexpr std::uint64_t kChunk = 512;

class Search {
 public:
  Search(const KernelMemory& memory, const FileTableLayout& layout)
      : memory_(memory), layout_(layout) {}

  // False when the table is not all there.
  bool table(std::uint64_t files, std::int32_t tgid) {
    const std::uint64_t fdt = memory_.pointer(files + layout_.fdt);
    const auto size = memory_.value<std::uint32_t>(fdt + layout_.max_fds);
    const std::uint64_t first = memory_.pointer(fdt + layout_.fd);
    if (!size || !is_kernel_pointer(first)) return false;
    const std::uint64_t count = std::min<std::uint64_t>(*size, kMostFiles);
    std::array<std::uint64_t, kChunk> part{};
    for (std::uint64_t at = 0; at < count; at += kChunk) {
      const std::size_t here = std::min(kChunk, count - at);
      if (!memory_.read(first + at * 8, part.data(), here * 8)) return false;
      for (std::size_t i = 0; i < here; ++i)
        if (is_kernel_pointer(part[i]) && is_fuse(part[i])) add(part[i], tgid);
    }
    return true;
  }

  std::vector<OpenFuse> take() { return std::move(found_); }

 private:
  // The functions of a file tell its kind, so few inodes have to be read.
  bool is_fuse(std::uint64_t file) {
    const std::uint64_t functions = memory_.pointer(file + layout_.f_op);
    if (const auto known = kinds_.find(functions); known != kinds_.end()) return known->second;
    const std::uint64_t inode = memory_.pointer(file + layout_.f_inode);
    const auto device = is_kernel_pointer(inode)
                            ? memory_.value<std::uint32_t>(inode + layout_.i_rdev)
                            : std::nullopt;
    if (!device || functions == 0) return false;
    return kinds_.emplace(functions, *device == kFuseDevice).first->second;
  }

  void add(std::uint64_t file, std::int32_t tgid) {
    const std::uint64_t device = memory_.pointer(file + layout_.private_data) & ~kFlags;
    if (is_kernel_pointer(device) && pairs_.emplace(device, tgid).second)
      found_.push_back({device, tgid});
  }

  const KernelMemory& memory_;
  const FileTableLayout& layout_;
  std::unordered_map<std::uint64_t, bool> kinds_;
  std::set<std::pair<std::uint64_t, std::int32_t>> pairs_;
  std::vector<OpenFuse> found_;
};

}  // namespace

std::optional<FileTableLayout> FileTableLayout::of(const KernelBtf& btf) {
  const auto fdt = btf.offset("files_struct", {"fdt"});
  const auto max_fds = btf.offset("fdtable", {"max_fds"});
  const auto fd = btf.offset("fdtable", {"fd"});
  const auto f_op = btf.offset("file", {"f_op"});
  const auto f_inode = btf.offset("file", {"f_inode"});
  const auto private_data = btf.offset("file", {"private_data"});
  const auto i_rdev = btf.offset("inode", {"i_rdev"});
  if (!fdt || !max_fds || !fd || !f_op || !f_inode || !private_data || !i_rdev) return std::nullopt;
  return FileTableLayout{*fdt, *max_fds, *fd, *f_op, *f_inode, *private_data, *i_rdev};
}

std::vector<OpenFuse> find_open_fuse(const KernelMemory& memory, const FileTableLayout& layout,
                                     const std::vector<DumpedTask>& tasks, bool& unread) {
  Search search(memory, layout);
  std::set<std::pair<std::uint64_t, std::int32_t>> seen;
  for (const DumpedTask& task : tasks)
    if (is_kernel_pointer(task.files) && seen.emplace(task.files, task.tgid).second)
      unread = !search.table(task.files, task.tgid) || unread;
  return search.take();
}

}  // namespace stallproof
