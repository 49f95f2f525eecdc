// SPDX-License-Identifier: Apache-2.0
#include "workloads/ffs/tree.h"

#include <algorithm>
#include <cerrno>
#include <tuple>

#include "workloads/ffs/data_file.h"

namespace stallproof {
namespace {

constexpr mode_t kPermissions = 07777;
constexpr off_t kDirectorySize = 4096;

timespec now() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return time;
}

timespec later(const timespec& a, const timespec& b) {
  return std::tie(a.tv_sec, a.tv_nsec) < std::tie(b.tv_sec, b.tv_nsec) ? b : a;
}

}  // namespace

Tree::Tree(PageStore& store, const struct stat& data)
    : store_(store), data_(data), next_inode_(kDataInode + 1) {
  Node& root = nodes_[kRootInode];
  root.mode = S_IFDIR | 0755;
  root.links = 2;
  root.parent = kRootInode;
  root.accessed = root.modified = root.changed = now();
  root.directory = std::make_unique<Directory>();
  root.directory->insert(kDataName, kDataInode);
}

const Tree::Node* Tree::find(std::uint64_t inode) const {
  const auto node = nodes_.find(inode);
  return node == nodes_.end() ? nullptr : &node->second;
}

Tree::Node* Tree::find(std::uint64_t inode) {
  const auto node = nodes_.find(inode);
  return node == nodes_.end() ? nullptr : &node->second;
}

Answer<Tree::Node*> Tree::directory_of(const Place& place) {
  Node* const node = find(place.directory);
  if (node == nullptr) return deny(ENOENT);
  if (!node->directory) return deny(ENOTDIR);
  if (place.name.size() > kNameMax) return deny(ENAMETOOLONG);
  return node;
}

Answer<std::uint64_t> Tree::child_of(const Place& place) {
  const auto directory = directory_of(place);
  if (!directory) return deny(directory.error());
  const std::uint64_t inode = (*directory)->directory->find(place.name);
  if (inode == 0) return deny(ENOENT);
  return inode;
}

struct stat Tree::describe(std::uint64_t inode, const Node& node) const {
  struct stat attributes {};
  attributes.st_ino = inode;
  attributes.st_mode = node.mode;
  attributes.st_nlink = node.links;
  attributes.st_uid = node.owner.uid;
  attributes.st_gid = node.owner.gid;
  attributes.st_blksize = PageStore::kPage;
  attributes.st_atim = node.accessed;
  attributes.st_mtim = node.modified;
  attributes.st_ctim = node.changed;
  attributes.st_size = kDirectorySize;
  if (!node.content) return attributes;
  const FileContent::State state = node.content->state();
  attributes.st_size = static_cast<off_t>(state.size);
  attributes.st_blocks = static_cast<blkcnt_t>(state.pages * (PageStore::kPage / 512));
  attributes.st_mtim = state.modified;
  attributes.st_ctim = later(node.changed, state.written);
  return attributes;
}

Answer<struct stat> Tree::attributes(std::uint64_t inode) const {
  if (inode == kDataInode) return data_;
  const Node* const node = find(inode);
  if (node == nullptr) return deny(ENOENT);
  return describe(inode, *node);
}

Answer<struct stat> Tree::lookup(const Place& place) {
  const auto inode = child_of(place);
  if (!inode) return deny(inode.error());
  if (*inode == kDataInode) return data_;
  Node& node = *find(*inode);
  ++node.lookups;
  return describe(*inode, node);
}

Answer<struct stat> Tree::make(const Place& place, mode_t mode, const Owner& owner) {
  const auto directory = directory_of(place);
  if (!directory) return deny(directory.error());
  if ((*directory)->links == 0) return deny(ENOENT);
  if ((*directory)->directory->find(place.name) != 0) return deny(EEXIST);
  if (!S_ISREG(mode) && !S_ISDIR(mode)) return deny(EPERM);
  if (nodes_.size() >= most_inodes()) return deny(ENOSPC);
  const std::uint64_t inode = next_inode_++;
  Node& node = nodes_[inode];
  node.mode = mode & (S_IFMT | kPermissions);
  node.owner = owner;
  node.lookups = 1;
  node.accessed = node.modified = now();
  if (S_ISDIR(mode))
    node.directory = std::make_unique<Directory>();
  else
    node.content = std::make_shared<FileContent>(store_);
  attach(place, inode);
  return describe(inode, node);
}

void Tree::attach(const Place& place, std::uint64_t inode) {
  Node& directory = *find(place.directory);
  Node& node = *find(inode);
  directory.directory->insert(place.name, inode);
  directory.modified = directory.changed = node.changed = now();
  node.links = node.directory ? std::max<std::uint64_t>(node.links, 2) : 1;
  if (!node.directory) return;
  node.parent = place.directory;
  ++directory.links;
}

void Tree::detach(const Place& place, std::uint64_t inode) {
  Node& directory = *find(place.directory);
  Node& node = *find(inode);
  directory.directory->erase(place.name);
  directory.modified = directory.changed = node.changed = now();
  if (node.directory) --directory.links;
}

void Tree::free_if_unused(std::uint64_t inode) {
  const Node* const node = find(inode);
  if (node != nullptr && node->links == 0 && node->lookups == 0 && node->opens == 0)
    nodes_.erase(inode);
}

void Tree::forget(std::uint64_t inode, std::uint64_t count) {
  Node* const node = find(inode);
  if (node == nullptr || inode == kRootInode) return;
  node->lookups -= std::min(node->lookups, count);
  free_if_unused(inode);
}

Answer<struct stat> Tree::change(std::uint64_t inode, const Change& wanted) {
  if (inode == kDataInode) return deny(EPERM);
  Node* const node = find(inode);
  if (node == nullptr) return deny(ENOENT);
  if (wanted.size && !node->content) return deny(EISDIR);
  if (wanted.size) node->content->resize(*wanted.size);
  if (wanted.permissions) node->mode = (node->mode & S_IFMT) | (*wanted.permissions & kPermissions);
  node->owner.uid = wanted.uid.value_or(node->owner.uid);
  node->owner.gid = wanted.gid.value_or(node->owner.gid);
  node->accessed = wanted.accessed.value_or(node->accessed);
  if (wanted.modified && node->content) node->content->set_modified(*wanted.modified);
  node->modified = wanted.modified.value_or(node->modified);
  node->changed = now();
  return describe(inode, *node);
}

Answer<> Tree::unlink(const Place& place) {
  const auto inode = child_of(place);
  if (!inode) return deny(inode.error());
  if (*inode == kDataInode) return deny(EPERM);
  if (find(*inode)->directory) return deny(EISDIR);
  detach(place, *inode);
  find(*inode)->links = 0;
  free_if_unused(*inode);
  return {};
}

Answer<> Tree::rmdir(const Place& place) {
  const auto inode = child_of(place);
  if (!inode) return deny(inode.error());
  if (*inode == kDataInode || !find(*inode)->directory) return deny(ENOTDIR);
  if (!find(*inode)->directory->empty()) return deny(ENOTEMPTY);
  detach(place, *inode);
  find(*inode)->links = 0;
  free_if_unused(*inode);
  return {};
}

bool Tree::is_below(std::uint64_t directory, std::uint64_t ancestor) const {
  while (directory != ancestor && directory != kRootInode) directory = parent_of(directory);
  return directory == ancestor;
}

Answer<> Tree::may_replace(const Node& moved, std::uint64_t old, bool replace) {
  if (!replace) return deny(EEXIST);
  if (old == kDataInode) return deny(EPERM);
  const Node& victim = *find(old);
  if (moved.directory && !victim.directory) return deny(ENOTDIR);
  if (!moved.directory && victim.directory) return deny(EISDIR);
  if (victim.directory && !victim.directory->empty()) return deny(ENOTEMPTY);
  return {};
}

Answer<> Tree::rename(const Place& from, const Place& to, bool replace) {
  const auto inode = child_of(from);
  if (!inode) return deny(inode.error());
  if (*inode == kDataInode) return deny(EPERM);
  const auto target = directory_of(to);
  if (!target) return deny(target.error());
  if ((*target)->links == 0) return deny(ENOENT);
  const Node& moved = *find(*inode);
  if (moved.directory && is_below(to.directory, *inode)) return deny(EINVAL);
  const std::uint64_t old = (*target)->directory->find(to.name);
  if (old == *inode) return {};
  if (old != 0) {
    if (const auto allowed = may_replace(moved, old, replace); !allowed) return allowed;
    detach(to, old);
    find(old)->links = 0;
    free_if_unused(old);
  }
  detach(from, *inode);
  attach(to, *inode);
  return {};
}

Answer<> Tree::open(std::uint64_t inode) {
  Node* const node = find(inode);
  if (node == nullptr) return deny(ENOENT);
  if (!node->content) return deny(EISDIR);
  ++node->opens;
  return {};
}

void Tree::close(std::uint64_t inode) {
  Node* const node = find(inode);
  if (node == nullptr || node->opens == 0) return;
  --node->opens;
  free_if_unused(inode);
}

std::shared_ptr<FileContent> Tree::content(std::uint64_t inode) const {
  const Node* const node = find(inode);
  return node == nullptr ? nullptr : node->content;
}

std::uint64_t Tree::parent_of(std::uint64_t directory) const {
  const Node* const node = find(directory);
  return node == nullptr || node->parent == 0 ? kRootInode : node->parent;
}

Answer<> Tree::list(std::uint64_t directory, std::uint64_t after, const Visit& visit) const {
  const Node* const node = find(directory);
  if (node == nullptr) return deny(ENOENT);
  if (!node->directory) return deny(ENOTDIR);
  const auto& entries = node->directory->entries();
  for (auto entry = entries.upper_bound(after); entry != entries.end(); ++entry) {
    const auto& [name, inode] = entry->second;
    const Node* const child = find(inode);
    struct stat attributes {};
    attributes.st_ino = inode;
    attributes.st_mode = child == nullptr ? data_.st_mode : child->mode;
    if (!visit(entry->first, name, attributes)) break;
  }
  return {};
}

}  // namespace stallproof
