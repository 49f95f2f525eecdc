// SPDX-License-Identifier: Apache-2.0
// fs/: ext2 to ext4, jbd2, xfs, btrfs, f2fs, fat, gfs2, ocfs2, nfs, cifs, ceph; ZFS and Lustre.
#include <array>

#include "harness/explain/log/error_lines.h"

namespace stallproof {
namespace {

constexpr std::array kLines{
    // fs/ext4/super.c and those it grew from
    ErrorLine{"EXT4-fs error (device {dev}): {fn}:{*}: comm {task}: ",
              "EXT4-fs error on {dev} in {fn}"},
    ErrorLine{"EXT4-fs error (device {dev}): {fn}:", "EXT4-fs error on {dev} in {fn}"},
    ErrorLine{"EXT4-fs error (device {dev}) in {fn}:", "EXT4-fs error on {dev} in {fn}"},
    ErrorLine{"EXT4-fs error (device {dev})", "EXT4-fs error on {dev}"},
    ErrorLine{"EXT4-fs warning (device {dev}): {fn}:{*}I/O error", "EXT4-fs I/O error on {dev}"},
    ErrorLine{"EXT4-fs ({dev}): {*}emounting filesystem read-only", "EXT4-fs on {dev} read-only"},
    ErrorLine{"EXT4-fs ({dev}): I/O error while writing superblock",
              "EXT4-fs superblock of {dev} not written"},
    ErrorLine{"EXT4-fs ({dev}): previous I/O error to superblock",
              "EXT4-fs superblock of {dev} not written"},
    ErrorLine{"EXT4-fs ({dev}): Delayed block allocation failed", "EXT4-fs lost data on {dev}"},
    ErrorLine{"EXT4-fs ({dev}): failed to convert unwritten extents", "EXT4-fs lost data on {dev}"},
    ErrorLine{"EXT4-fs ({dev}): This should not happen!!", "EXT4-fs lost data on {dev}"},
    ErrorLine{"EXT4-fs ({dev}): {*} error: ", "EXT4-fs error on {dev}"},
    ErrorLine{"EXT4-fs ({dev}): {*} error ", "EXT4-fs error on {dev}"},
    ErrorLine{"EXT4-fs ({dev}): error ", "EXT4-fs error on {dev}"},
    ErrorLine{"EXT4-fs ({dev}): error: ", "EXT4-fs error on {dev}"},
    ErrorLine{"EXT3-fs error (device {dev}): {fn}:", "EXT3-fs error on {dev} in {fn}"},
    ErrorLine{"EXT3-fs ({dev}): error: remounting filesystem read-only",
              "EXT3-fs on {dev} read-only"},
    ErrorLine{"EXT3-fs ({dev}): error", "EXT3-fs error on {dev}"},
    ErrorLine{"EXT2-fs error (device {dev}): {fn}:", "EXT2-fs error on {dev} in {fn}"},
    ErrorLine{"EXT2-fs ({dev}): error", "EXT2-fs error on {dev}"},
    ErrorLine{"Aborting journal on device {dev}", "journal of {dev} aborted"},
    ErrorLine{"JBD2: Error ", "JBD2 error"},
    ErrorLine{"JBD2: I/O error ", "JBD2 I/O error"},
    ErrorLine{"JBD2: Detected IO errors ", "JBD2 I/O error"},
    ErrorLine{"journal commit I/O error", "journal commit I/O error"},
    // fs/xfs
    ErrorLine{"XFS ({dev}): {*}(0x{*}) detected at {fn}+0x", "XFS on {dev} shut down in {fn}"},
    ErrorLine{"XFS ({dev}): metadata I/O error in \"{fn}\"",
              "XFS metadata I/O error on {dev} in {fn}"},
    ErrorLine{"XFS ({dev}): metadata I/O error: {*}(\"{fn}\")",
              "XFS metadata I/O error on {dev} in {fn}"},
    ErrorLine{"XFS ({dev}): metadata I/O error", "XFS metadata I/O error on {dev}"},
    ErrorLine{"XFS ({dev}): log I/O error", "XFS log I/O error on {dev}"},
    ErrorLine{"XFS ({dev}): Log I/O Error", "XFS log I/O error on {dev}"},
    ErrorLine{"XFS ({dev}): Log I/O error", "XFS log I/O error on {dev}"},
    ErrorLine{"XFS ({dev}): I/O Error Detected", "XFS I/O error on {dev}"},
    ErrorLine{"XFS ({dev}): {fn}(0x{*}) called from ", "XFS on {dev} shut down in {fn}"},
    ErrorLine{"XFS ({dev}): Corruption ", "XFS corruption on {dev}"},
    ErrorLine{"XFS ({dev}): Metadata corruption detected at {fn}+0x",
              "XFS corruption on {dev} in {fn}"},
    ErrorLine{"XFS ({dev}): Metadata corruption detected", "XFS corruption on {dev}"},
    ErrorLine{"XFS ({dev}): Metadata CRC error detected at {fn}+0x",
              "XFS corruption on {dev} in {fn}"},
    ErrorLine{"XFS ({dev}): Metadata CRC error", "XFS corruption on {dev}"},
    ErrorLine{"XFS ({dev}): Internal error ", "XFS internal error on {dev}"},
    ErrorLine{"XFS ({dev}): Filesystem has been shut down", "XFS on {dev} shut down"},
    ErrorLine{"XFS ({dev}): {*}hutting down filesystem", "XFS on {dev} shut down"},
    ErrorLine{"XFS ({dev}): xfs_log_force: error ", "XFS on {dev} shut down"},
    ErrorLine{"XFS ({dev}): writeback error on ", "XFS writeback error on {dev}"},
    ErrorLine{"XFS: {task}({*}) possible memory allocation deadlock",
              "XFS possible memory allocation deadlock", true},
    // fs/btrfs
    ErrorLine{"BTRFS: error (device {dev}{*}) in {fn}:", "BTRFS error on {dev} in {fn}"},
    ErrorLine{"BTRFS error (device {dev}{*}) in {fn}:", "BTRFS error on {dev} in {fn}"},
    ErrorLine{"BTRFS error (device {dev}{*})", "BTRFS error on {dev}"},
    ErrorLine{"BTRFS critical (device {dev}{*})", "BTRFS critical on {dev}"},
    ErrorLine{"BTRFS info (device {dev}{*}): forced readonly", "BTRFS on {dev} read-only"},
    ErrorLine{"BTRFS warning (device {dev}{*}): lost page write", "BTRFS lost page write on {dev}"},
    ErrorLine{"BTRFS: Transaction aborted (error ", "BTRFS transaction aborted"},
    // others of this machine
    ErrorLine{"FAT-fs ({dev}): error, ", "FAT-fs error on {dev}"},
    ErrorLine{"FAT-fs ({dev}): Filesystem has been set read-only", "FAT-fs on {dev} read-only"},
    ErrorLine{"FAT-fs ({dev}): Directory bread", "FAT-fs error on {dev}"},
    ErrorLine{"F2FS-fs ({dev}): {*}error", "F2FS-fs error on {dev}"},
    ErrorLine{"F2FS-fs ({dev}): {*}emounting filesystem read-only", "F2FS-fs on {dev} read-only"},
    ErrorLine{"OCFS2: ERROR (device {dev}): {fn}: ", "OCFS2 error on {dev} in {fn}"},
    ErrorLine{"GFS2: fsid={dev}: fatal: ", "GFS2 withdrawn"},
    ErrorLine{"GFS2: fsid={dev}: about to withdraw", "GFS2 withdrawn"},
    ErrorLine{"REISERFS error (device {dev})", "REISERFS error on {dev}"},
    ErrorLine{"SQUASHFS error: ", "SQUASHFS error"},
    ErrorLine{"UBIFS error (", "UBIFS error"},
    ErrorLine{"EROFS: (device {dev}): {*}failed", "EROFS error on {dev}"},
    ErrorLine{"WARNING: Pool '{dev}' has encountered an uncorrectable I/O failure",
              "ZFS pool {dev} suspended", true},
    ErrorLine{"zio pool={dev} vdev={*} error=", "ZFS I/O error in pool {dev}"},
    // of a server that does not answer
    ErrorLine{"nfs: server {dev} not responding", "nfs: server {dev} not responding", true},
    ErrorLine{"nfs4: server {dev} not responding", "nfs: server {dev} not responding", true},
    ErrorLine{"lockd: server {dev} not responding", "lockd: server {dev} not responding", true},
    ErrorLine{"NFS: {*}server {dev} error: ", "nfs: error of server {dev}"},
    ErrorLine{"NFS: state manager: {what} failed on NFSv4 server {dev} with ",
              "nfs: {what} failed on server {dev}"},
    ErrorLine{"CIFS: VFS: {*} has not responded in ", "cifs: server not responding", true},
    ErrorLine{"CIFS VFS: Server {dev} has not responded in ", "cifs: server not responding", true},
    ErrorLine{"ceph: {dev} hung", "ceph: {dev} hung", true},
    ErrorLine{"ceph: [{*}]: {dev} hung", "ceph: {dev} hung", true},
    ErrorLine{"LustreError: ", "Lustre error"},
};

}  // namespace

std::span<const ErrorLine> fs_error_lines() { return kLines; }

}  // namespace stallproof
