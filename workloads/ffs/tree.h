// SPDX-License-Identifier: Apache-2.0
// Directories and files in memory, as a client sees them by inode number: what a FUSE server needs,
// without FUSE. The root holds one entry that cannot be changed, `data`.
//
// An inode lives as long as it has a name, the kernel remembers it (lookup, make; forget) or it is
// open. Numbers are never used again. There are no hard links, symbolic links or special files.
//
// Receiver thread only; contents may be used by any thread and outlive their inode.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "workloads/ffs/answer.h"
#include "workloads/ffs/directory.h"
#include "workloads/ffs/file_content.h"
#include "workloads/ffs/page_store.h"

namespace stallproof {

class Tree {
 public:
  static constexpr std::size_t kNameMax = 255;

  struct Place {
    std::uint64_t directory;  // inode
    std::string_view name;
  };
  struct Owner {
    uid_t uid = 0;
    gid_t gid = 0;
  };
  struct Change {
    std::optional<mode_t> permissions = {};
    std::optional<uid_t> uid = {};
    std::optional<gid_t> gid = {};
    std::optional<std::uint64_t> size = {};
    std::optional<timespec> accessed = {};
    std::optional<timespec> modified = {};
  };
  // False ends the listing.
  using Visit =
      std::function<bool(std::uint64_t place, const std::string& name, const struct stat&)>;

  // Keeps a reference. `data` is shown as it is; reading it is the caller's business. One inode for
  // each page of the store is the bound for inodes.
  Tree(PageStore& store, const struct stat& data);
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;

  // Both count one memory of the kernel, to be ended by forget().
  Answer<struct stat> lookup(const Place& place);
  // A file or a directory, by the type in `mode`.
  Answer<struct stat> make(const Place& place, mode_t mode, const Owner& owner);
  void forget(std::uint64_t inode, std::uint64_t count);

  [[nodiscard]] Answer<struct stat> attributes(std::uint64_t inode) const;
  Answer<struct stat> change(std::uint64_t inode, const Change& wanted);
  Answer<> unlink(const Place& place);
  Answer<> rmdir(const Place& place);
  // With `replace`, over a file or an empty directory of that name.
  Answer<> rename(const Place& from, const Place& to, bool replace);

  Answer<> open(std::uint64_t inode);
  void close(std::uint64_t inode);
  // nullptr when this is no file of the tree.
  [[nodiscard]] std::shared_ptr<FileContent> content(std::uint64_t inode) const;
  // Entries whose place is greater than `after`, in order of place. `.` and `..` are not among
  // them.
  Answer<> list(std::uint64_t directory, std::uint64_t after, const Visit& visit) const;
  [[nodiscard]] std::uint64_t parent_of(std::uint64_t directory) const;

  [[nodiscard]] std::size_t inodes() const { return nodes_.size(); }
  [[nodiscard]] std::size_t most_inodes() const { return store_.total_pages(); }
  [[nodiscard]] const PageStore& store() const { return store_; }

 private:
  struct Node {
    mode_t mode = 0;
    Owner owner;
    std::uint64_t links = 0;  // 0: it has lost its name
    std::uint64_t lookups = 0;
    std::uint64_t opens = 0;
    std::uint64_t parent = 0;  // of a directory
    timespec accessed{};
    timespec modified{};  // of a directory; a file's content knows its own
    timespec changed{};
    std::shared_ptr<FileContent> content;  // of a file
    std::unique_ptr<Directory> directory;  // of a directory
  };

  [[nodiscard]] const Node* find(std::uint64_t inode) const;
  Node* find(std::uint64_t inode);
  Answer<Node*> directory_of(const Place& place);
  Answer<std::uint64_t> child_of(const Place& place);
  [[nodiscard]] struct stat describe(std::uint64_t inode, const Node& node) const;
  [[nodiscard]] bool is_below(std::uint64_t directory, std::uint64_t ancestor) const;
  Answer<> may_replace(const Node& moved, std::uint64_t old, bool replace);
  void detach(const Place& place, std::uint64_t inode);
  void attach(const Place& place, std::uint64_t inode);
  void free_if_unused(std::uint64_t inode);

  PageStore& store_;
  const struct stat data_;
  std::uint64_t next_inode_;
  std::unordered_map<std::uint64_t, Node> nodes_;
};

}  // namespace stallproof
