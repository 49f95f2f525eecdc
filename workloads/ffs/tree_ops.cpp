// SPDX-License-Identifier: Apache-2.0
#define FUSE_USE_VERSION 35
#include "workloads/ffs/tree_ops.h"

#include <fcntl.h>
#include <fuse3/fuse_lowlevel.h>
#include <linux/falloc.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "workloads/ffs/data_file.h"
#include "workloads/ffs/ffs_session.h"

namespace stallproof {
namespace {

// Every change of a name goes through this one kernel, which corrects its own dentries, as it does
// for `data`, which never changes at all.
constexpr double kNamesKept = 3600.0;
constexpr double kDataKept = 3600.0;
// The kernel drops attributes that its own calls change, but which ones has changed from version to
// version: none is older than this.
constexpr double kAttributesKept = 1.0;

FfsSession& session_of(fuse_req* request) {
  return *static_cast<FfsSession*>(fuse_req_userdata(request));
}

Tree& tree_of(fuse_req* request) { return session_of(request).tree(); }

Tree::Owner caller_of(fuse_req* request) {
  const fuse_ctx* caller = fuse_req_ctx(request);
  return {caller->uid, caller->gid};
}

double kept(std::uint64_t inode) { return inode == kDataInode ? kDataKept : kAttributesKept; }

void reply_status(fuse_req* request, const Answer<>& answer) {
  fuse_reply_err(request, answer ? 0 : answer.error());
}

void reply_attributes(fuse_req* request, const Answer<struct stat>& answer) {
  if (answer)
    fuse_reply_attr(request, &*answer, kept(answer->st_ino));
  else
    fuse_reply_err(request, answer.error());
}

fuse_entry_param entry_of(const struct stat& attributes) {
  fuse_entry_param entry{};
  entry.ino = attributes.st_ino;
  entry.attr = attributes;
  entry.attr_timeout = kept(attributes.st_ino);
  entry.entry_timeout = kNamesKept;
  return entry;
}

// An answer that its client did not wait for is not remembered by the kernel either.
void reply_entry(fuse_req* request, const Answer<struct stat>& answer) {
  if (!answer) {
    fuse_reply_err(request, answer.error());
    return;
  }
  Tree& tree = tree_of(request);
  const fuse_entry_param entry = entry_of(*answer);
  if (fuse_reply_entry(request, &entry) != 0) tree.forget(entry.ino, 1);
}

void on_lookup(fuse_req* request, fuse_ino_t parent, const char* name) {
  reply_entry(request, tree_of(request).lookup({parent, name}));
}

void on_forget(fuse_req* request, fuse_ino_t inode, std::uint64_t count) {
  tree_of(request).forget(inode, count);
  fuse_reply_none(request);
}

void on_getattr(fuse_req* request, fuse_ino_t inode, fuse_file_info*) {
  reply_attributes(request, tree_of(request).attributes(inode));
}

void on_setattr(fuse_req* request, fuse_ino_t inode, struct stat* wanted, int fields,
                fuse_file_info*) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  Tree::Change change;
  if ((fields & FUSE_SET_ATTR_MODE) != 0) change.permissions = wanted->st_mode;
  if ((fields & FUSE_SET_ATTR_UID) != 0) change.uid = wanted->st_uid;
  if ((fields & FUSE_SET_ATTR_GID) != 0) change.gid = wanted->st_gid;
  if ((fields & FUSE_SET_ATTR_SIZE) != 0) change.size = static_cast<std::uint64_t>(wanted->st_size);
  if ((fields & FUSE_SET_ATTR_ATIME) != 0) change.accessed = wanted->st_atim;
  if ((fields & FUSE_SET_ATTR_ATIME_NOW) != 0) change.accessed = now;
  if ((fields & FUSE_SET_ATTR_MTIME) != 0) change.modified = wanted->st_mtim;
  if ((fields & FUSE_SET_ATTR_MTIME_NOW) != 0) change.modified = now;
  reply_attributes(request, tree_of(request).change(inode, change));
}

void on_mknod(fuse_req* request, fuse_ino_t parent, const char* name, mode_t mode, dev_t) {
  reply_entry(request, S_ISREG(mode)
                           ? tree_of(request).make({parent, name}, mode, caller_of(request))
                           : Answer<struct stat>(deny(EPERM)));
}

void on_mkdir(fuse_req* request, fuse_ino_t parent, const char* name, mode_t mode) {
  const mode_t directory = (mode & ~static_cast<mode_t>(S_IFMT)) | S_IFDIR;
  reply_entry(request, tree_of(request).make({parent, name}, directory, caller_of(request)));
}

void on_unlink(fuse_req* request, fuse_ino_t parent, const char* name) {
  reply_status(request, tree_of(request).unlink({parent, name}));
}

void on_rmdir(fuse_req* request, fuse_ino_t parent, const char* name) {
  reply_status(request, tree_of(request).rmdir({parent, name}));
}

void on_rename(fuse_req* request, fuse_ino_t parent, const char* name, fuse_ino_t new_parent,
               const char* new_name, unsigned flags) {
  if ((flags & ~static_cast<unsigned>(RENAME_NOREPLACE)) != 0) {
    fuse_reply_err(request, EINVAL);
    return;
  }
  reply_status(request, tree_of(request).rename({parent, name}, {new_parent, new_name},
                                                (flags & RENAME_NOREPLACE) == 0));
}

// The pages in the cache stay true: nobody but this kernel changes a file.
Answer<> open_file(fuse_req* request, std::uint64_t inode, fuse_file_info& file) {
  Tree& tree = tree_of(request);
  file.keep_cache = 1;
  if (inode == kDataInode) {
    if ((file.flags & O_ACCMODE) != O_RDONLY) return deny(EROFS);
    return {};
  }
  if (const auto opened = tree.open(inode); !opened) return opened;
  if (session_of(request).options().direct_io) file.direct_io = 1;
  if ((file.flags & O_ACCMODE) != O_RDONLY)
    session_of(request).pool().note_writer(fuse_req_ctx(request)->pid);
  if ((file.flags & O_TRUNC) != 0) tree.content(inode)->resize(0);
  return {};
}

void on_open(fuse_req* request, fuse_ino_t inode, fuse_file_info* file) {
  Tree& tree = tree_of(request);
  if (const auto opened = open_file(request, inode, *file); !opened)
    fuse_reply_err(request, opened.error());
  else if (fuse_reply_open(request, file) != 0)
    tree.close(inode);
}

void on_create(fuse_req* request, fuse_ino_t parent, const char* name, mode_t mode,
               fuse_file_info* file) {
  Tree& tree = tree_of(request);
  const mode_t regular = (mode & ~static_cast<mode_t>(S_IFMT)) | S_IFREG;
  auto made = tree.make({parent, name}, regular, caller_of(request));
  if (!made && made.error() == EEXIST && (file->flags & O_EXCL) == 0)
    made = tree.lookup({parent, name});
  if (!made) {
    fuse_reply_err(request, made.error());
    return;
  }
  const auto opened = open_file(request, made->st_ino, *file);
  const fuse_entry_param entry = entry_of(tree.attributes(made->st_ino).value_or(*made));
  if (opened && fuse_reply_create(request, &entry, file) == 0) return;
  if (opened)
    tree.close(entry.ino);
  else
    fuse_reply_err(request, opened.error());
  tree.forget(entry.ino, 1);
}

void on_release(fuse_req* request, fuse_ino_t inode, fuse_file_info*) {
  tree_of(request).close(inode);
  fuse_reply_err(request, 0);
}

void on_readdir(fuse_req* request, fuse_ino_t inode, std::size_t size, off_t offset,
                fuse_file_info*) {
  const Tree& tree = tree_of(request);
  std::vector<char> listing(size);
  std::size_t used = 0;
  const auto add = [&](std::uint64_t place, const char* name, const struct stat& attributes) {
    const std::size_t needed = fuse_add_direntry(request, listing.data() + used, size - used, name,
                                                 &attributes, static_cast<off_t>(place));
    if (needed > size - used) return false;
    used += needed;
    return true;
  };
  struct stat dot {};
  dot.st_mode = S_IFDIR;
  dot.st_ino = inode;
  bool room = offset >= 1 || add(1, ".", dot);
  dot.st_ino = tree.parent_of(inode);
  room = room && (offset >= 2 || add(2, "..", dot));
  if (room) {
    const Answer<> listed =
        tree.list(inode, static_cast<std::uint64_t>(offset),
                  [&](std::uint64_t place, const std::string& name, const struct stat& what) {
                    return add(place, name.c_str(), what);
                  });
    if (!listed) {
      fuse_reply_err(request, listed.error());
      return;
    }
  }
  fuse_reply_buf(request, listing.data(), used);
}

void on_write(fuse_req* request, fuse_ino_t inode, const char* bytes, std::size_t size,
              off_t offset, fuse_file_info* file) {
  ServiceJob job;
  job.kind = file->writepage != 0 ? JobKind::write_page : JobKind::write;
  const auto* data = reinterpret_cast<const std::byte*>(bytes);
  job.payload.assign(data, data + size);
  session_of(request).change_content(request, inode, static_cast<std::uint64_t>(offset), size,
                                     std::move(job));
}

void on_fallocate(fuse_req* request, fuse_ino_t inode, int mode, off_t offset, off_t length,
                  fuse_file_info*) {
  ServiceJob job;
  if (mode == 0) {
    job.kind = JobKind::allocate;
  } else if (mode == FALLOC_FL_KEEP_SIZE) {
    job.kind = JobKind::allocate_keep_size;
  } else if (mode == (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)) {
    job.kind = JobKind::punch_hole;
  } else {
    fuse_reply_err(request, EOPNOTSUPP);
    return;
  }
  session_of(request).change_content(request, inode, static_cast<std::uint64_t>(offset),
                                     static_cast<std::uint64_t>(length), std::move(job));
}

void on_flush(fuse_req* request, fuse_ino_t, fuse_file_info*) { fuse_reply_err(request, 0); }

void on_fsync(fuse_req* request, fuse_ino_t, int, fuse_file_info*) { fuse_reply_err(request, 0); }

void on_statfs(fuse_req* request, fuse_ino_t) {
  const Tree& tree = tree_of(request);
  struct statvfs space {};
  space.f_bsize = space.f_frsize = PageStore::kPage;
  space.f_blocks = tree.store().total_pages();
  space.f_bfree = space.f_bavail = tree.store().free_pages();
  space.f_files = tree.most_inodes();
  space.f_ffree = space.f_favail = tree.most_inodes() - tree.inodes();
  space.f_namemax = Tree::kNameMax;
  fuse_reply_statfs(request, &space);
}

}  // namespace

void negotiate_tree(bool writeback_cache, fuse_conn_info& connection) {
  // The kernel drops set-user-ID bits by a chmod of its own; we would have to do it ourselves.
  connection.want &= ~static_cast<unsigned>(FUSE_CAP_HANDLE_KILLPRIV);
  if (writeback_cache) connection.want |= connection.capable & FUSE_CAP_WRITEBACK_CACHE;
}

void add_tree_operations(fuse_lowlevel_ops& operations) {
  operations.lookup = on_lookup;
  operations.forget = on_forget;
  operations.getattr = on_getattr;
  operations.setattr = on_setattr;
  operations.mknod = on_mknod;
  operations.mkdir = on_mkdir;
  operations.unlink = on_unlink;
  operations.rmdir = on_rmdir;
  operations.rename = on_rename;
  operations.open = on_open;
  operations.create = on_create;
  operations.release = on_release;
  operations.readdir = on_readdir;
  operations.write = on_write;
  operations.fallocate = on_fallocate;
  operations.flush = on_flush;
  operations.fsync = on_fsync;
  operations.statfs = on_statfs;
}

}  // namespace stallproof
