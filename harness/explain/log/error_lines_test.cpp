// SPDX-License-Identifier: Apache-2.0
// Lines of our own in the kernel's printk formats.
#include "harness/explain/log/error_lines.h"

#include <gtest/gtest.h>

#include "harness/explain/log/report_text.h"

namespace stallproof {
namespace {

struct Case {
  const char* line;
  const char* told;  // empty: no report
};

void expect_each(std::initializer_list<Case> cases) {
  for (const Case& each : cases) {
    const Lines read = read_all(std::string("[   12.345678] ") + each.line + "\n");
    const Lines expected = *each.told == '\0' ? Lines{} : Lines{std::string("1 ") + each.told};
    EXPECT_EQ(read, expected) << each.line;
  }
}

TEST(ErrorLines, FailuresOfLocalDevicesAreIoErrors) {
  expect_each({
      {"sd 3:0:0:0: [sdz] tag#7 UNKNOWN(0x2003) Result: hostbyte=0x00 driverbyte=0x08 cmd_age=3s",
       "io_error /-1 -  [scsi: command failed on sdz]"},
      {"sd 3:0:0:0: [sdz]  Result: hostbyte=DID_OK driverbyte=DRIVER_SENSE",
       "io_error /-1 -  [scsi: command failed on sdz]"},
      {"sd 3:0:0:0: [sdz] Sense Key : Medium Error [current]", ""},
      {"nvme7n1: Read(0x2) @ LBA 81, 8 blocks, Unrecovered Read Error (sct 0x2 / sc 0x81) DNR",
       "io_error /-1 -  [nvme error on nvme7n1, Read]"},
      {"nvme nvme7: queue 3: timeout cid 0x12 type 4 opcode 0x1 (Write)",
       "io_error /-1 -  [nvme timeout on nvme7]"},
      {"ata9.00: qc timeout (cmd 0xec)", "io_error /-1 -  [ata: command timed out]"},
      {"ata9.00: revalidation failed (errno=-5)", "io_error /-1 -  [ata: device not identified]"},
      {"ata9: hard resetting link", ""},
      {"megasas: [ 5]waiting for 3 commands to complete",
       "io_error /-1 -  [megasas: waits for commands]"},
      {"hv_storvsc 11112222-3333: tag#9 cmd 0x2a status: scsi 0x2 srb 0x4 hv 0xc0000001",
       "io_error /-1 -  [hv_storvsc: command failed]"},
      {"Read-error on swap-device (259:3:8120)", "io_error /-1 -  [swap: read error]"},
      {"md/raid10:md9: sdz1: rescheduling sector 77", "io_error /-1 -  [md: read error in md9]"},
      {"mmc4: error -110 whilst initialising SD card", "io_error /-1 -  [mmc error]"},
      {"ubi3 error: ubi_io_read: error -74 while reading 64 bytes",
       "io_error /-1 - ubi_io_read [UBI error in ubi_io_read]"},
      {"device-mapper: verity: 252:9: data block 33 is corrupted",
       "io_error /-1 -  [dm-verity corruption]"},
      {"bcache: register_bcache() error /dev/sdz: device already registered", ""},
  });
}

TEST(ErrorLines, ServersThatDoNotAnswerAreIoErrors) {
  expect_each({
      {"nfs: server lab.example not responding, timed out",
       "io_error /-1 -  [nfs: server lab.example not responding]"},
      {"libceph: osd17 (1)192.0.2.7:6803 socket closed (con state OPEN)",
       "io_error /-1 -  [libceph: connection to osd17 closed]"},
      {"libceph: mon2 (1)192.0.2.7:6789 connect error",
       "io_error /-1 -  [libceph: no connection to mon2]"},
      {"libceph: osd17 down", "io_error /-1 -  [libceph: osd down]"},
      {"libceph: mon2 session established", ""},
      {"rbd: rbd6: write at objno 12 0~4096 result -110",
       "io_error /-1 -  [rbd: write failed on rbd6]"},
      {"connection4:0: ping timeout of 5 secs expired, recv timeout 5",
       "io_error /-1 -  [iscsi: ping timed out]"},
      {"LustreError: 4711:0:(brick_io.c:812:brick_brw()) 12345-OST0001: rc = -5",
       "io_error /4711 - brick_brw [Lustre error in brick_brw]"},
      {"CIFS: VFS: \\\\lab.example has not responded in 180 seconds. Reconnecting...",
       "io_error /-1 -  [cifs: server not responding]"},
  });
}

TEST(ErrorLines, FileSystemsNameTheFunctionThatFoundTheError) {
  expect_each({
      {"XFS (sdz2): Internal error xfs_iunlink_remove at line 77 of file fs/xfs/xfs_inode.c.  "
       "Caller xfs_ifree+0x33/0x130 [xfs]",
       "fs_error /-1 - xfs_iunlink_remove [XFS internal error on sdz2 in xfs_iunlink_remove]"},
      {"XFS (sdz2): Internal error i != 1 at line 77 of file fs/xfs/libxfs/xfs_alloc.c.  Caller "
       "xfs_free_ag_extent+0x3f/0x80 [xfs]",
       "fs_error /-1 - xfs_free_ag_extent [XFS internal error on sdz2 in xfs_free_ag_extent]"},
      {"XFS (sdz2): Internal error XFS_WANT_CORRUPTED_GOTO at line 7 of file fs/xfs/xfs_alloc.c.  "
       "Caller 0xffffffffa01e76c2",
       "fs_error /-1 -  [XFS internal error on sdz2]"},
      {"XFS (sdz2): xfs_imap_to_bp: xfs_trans_read_buf() returned error -117.",
       "fs_error /-1 - xfs_imap_to_bp [XFS error on sdz2 in xfs_imap_to_bp]"},
      {"Filesystem \"sdz2\": Corruption of in-memory data detected.  Shutting down filesystem: "
       "sdz2",
       "fs_error /-1 -  [XFS on sdz2 shut down]"},
      {"XFS: tar(912) possible memory allocation deadlock size 65552 in kmem_realloc (mode:0x250)",
       "fs_error tar/912 - kmem_realloc [XFS possible memory allocation deadlock in kmem_realloc]"},
      {"gfs2: fsid=lab:brick.0: fatal: filesystem consistency error - function = gfs2_evict_inode, "
       "file = fs/gfs2/super.c, line = 7",
       "fs_error /-1 - gfs2_evict_inode [GFS2 withdrawn in gfs2_evict_inode]"},
      {"(brick d,1633,0):ocfs2_xa_set:2242 ERROR: status = -22",
       "fs_error brick d/1633 - ocfs2_xa_set [OCFS2 error in ocfs2_xa_set]"},
      {"erofs: (device loop9): z_erofs_read_folio: failed to read, err [-117]",
       "fs_error /-1 - z_erofs_read_folio [EROFS error on loop9 in z_erofs_read_folio]"},
      {"erofs: (device loop9): mounted with root inode @ nid 36.", ""},
      {"ERROR: (device loop9): dbFindCtl: Corrupt dmapctl page",
       "fs_error /-1 - dbFindCtl [JFS error on loop9 in dbFindCtl]"},
      {"NTFS-fs error (device sdz1): ntfs_read_locked_inode(): Failed.",
       "fs_error /-1 - ntfs_read_locked_inode [NTFS-fs error on sdz1 in ntfs_read_locked_inode]"},
      {"JBD2: Error -5 detected when updating journal superblock for sdz1-8.",
       "fs_error /-1 -  [JBD2 error on sdz1-8]"},
      {"BTRFS warning (device sdz state EA): csum failed root 5 ino 257 off 0 csum 0x8941f998",
       "fs_error /-1 -  [BTRFS checksum error on sdz]"},
      {"VFS: Busy inodes after unmount of sdz1 (ext4)",
       "fs_error /-1 -  [busy inodes after unmount of sdz1]"},
      {"PANIC at brick_zio.c:315:brick_zio_buf_alloc()",
       "fs_error /-1 - brick_zio_buf_alloc [ZFS panic in brick_zio_buf_alloc]"},
      {"EXT4-fs (sdz1): mounted filesystem with ordered data mode. Opts: errors=remount-ro", ""},
  });
}

}  // namespace
}  // namespace stallproof
