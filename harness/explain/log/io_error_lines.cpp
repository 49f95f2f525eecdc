// SPDX-License-Identifier: Apache-2.0
// block/, drivers/{nvme,scsi,ata,md,nbd,block,mmc,message,target}; 3.10 to 7.x. A failed request's
// line has a driver's name before it until 5.15: error_report.cpp takes that off.
#include <array>

#include "harness/explain/log/error_lines.h"

namespace stallproof {
namespace {

constexpr std::array kLines{
    // block/blk-core.c blk_update_request, blk-mq.c blk_print_req_error
    ErrorLine{"I/O error, dev {dev}, sector {*} op {*}:({op})", "I/O error on {dev}, {op}"},
    ErrorLine{"I/O error, dev {dev}, sector ", "I/O error on {dev}"},
    ErrorLine{"critical {what} error, dev {dev}, sector {*} op {*}:({op})",
              "{what} error on {dev}, {op}"},
    ErrorLine{"critical {what} error, dev {dev}, sector ", "{what} error on {dev}"},
    ErrorLine{"timeout error, dev {dev}, sector ", "timeout error on {dev}", true},
    ErrorLine{"recoverable transport error, dev {dev}, sector ", "transport error on {dev}"},
    ErrorLine{"protection error, dev {dev}, sector ", "protection error on {dev}"},
    ErrorLine{"device resource error, dev {dev}, sector ", "device resource error on {dev}"},
    // fs/buffer.c
    ErrorLine{"Buffer I/O error on dev {dev}, logical block {*}, {what} page {op}",
              "buffer I/O error on {dev}, {what} page {op}"},
    ErrorLine{"Buffer I/O error on dev {dev}, ", "buffer I/O error on {dev}"},
    ErrorLine{"Buffer I/O error on device {dev}, ", "buffer I/O error on {dev}"},
    ErrorLine{"lost page write due to I/O error on {dev}", "lost page write on {dev}"},
    // mm/page_io.c
    ErrorLine{"Read-error on swap-device ", "swap: read error"},
    ErrorLine{"Write-error on swap-device ", "swap: write error"},
    // drivers/nvme/host
    ErrorLine{"nvme{what}: {op}(0x{*}) @ LBA ", "nvme error on nvme{what}, {op}"},
    ErrorLine{"nvme {dev}: frozen state error detected", "nvme controller {dev} is frozen"},
    ErrorLine{"nvme {dev}: Device shutdown incomplete", "nvme controller {dev} did not shut down"},
    ErrorLine{"nvme {dev}: Cancelling I/O ", "nvme: I/O cancelled on {dev}"},
    ErrorLine{"nvme {dev}: I/O {*}QID {*} timeout", "nvme timeout on {dev}", true},
    ErrorLine{"nvme {dev}: controller is down; will reset", "nvme controller {dev} is down"},
    ErrorLine{"nvme {dev}: Device not ready", "nvme controller {dev} is not ready"},
    ErrorLine{"nvme {dev}: Removing after probe failure", "nvme controller {dev} removed"},
    ErrorLine{"nvme {dev}: Disabling device after reset failure", "nvme controller {dev} removed"},
    ErrorLine{"nvme {dev}: keep-alive failed", "nvme keep-alive failed on {dev}"},
    ErrorLine{"nvme {dev}: failed nvme_keep_alive_end_io", "nvme keep-alive failed on {dev}"},
    // drivers/scsi
    ErrorLine{"sd {*}: rejecting I/O to {what} device", "scsi: I/O to {what} device rejected"},
    ErrorLine{"scsi {*}: rejecting I/O to {what} device", "scsi: I/O to {what} device rejected"},
    ErrorLine{"sd {*}: Device offlined", "scsi: device offlined"},
    ErrorLine{"scsi {*}: Device offlined", "scsi: device offlined"},
    ErrorLine{"sd {*}: [{dev}] {*}FAILED Result: ", "scsi: command failed on {dev}"},
    ErrorLine{"sd {*}: [{dev}] {*}Result: hostbyte=", "scsi: command failed on {dev}"},
    ErrorLine{"sr {*}: [{dev}] {*}Result: hostbyte=", "scsi: command failed on {dev}"},
    ErrorLine{"sd {*}: SCSI error: return code = ", "scsi: command failed"},
    ErrorLine{"sd {*}: [{dev}] Medium access timeout failure", "scsi: {dev} offlined", true},
    ErrorLine{"sd {*}: [{dev}] {*}uas_eh_abort_handler", "scsi: task abort", true},
    ErrorLine{"sd {*}: [{dev}] megasas: RESET ", "megasas: reset for {dev}", true},
    ErrorLine{"megasas: [{*}]waiting for ", "megasas: waits for commands", true},
    ErrorLine{"megaraid_sas {*}]waiting for ", "megasas: waits for commands", true},
    ErrorLine{"aacraid: Host adapter abort request", "aacraid: abort request", true},
    ErrorLine{"hv_storvsc {*} cmd 0x{*} status", "hv_storvsc: command failed"},
    ErrorLine{"qla2xxx [{*}: Abort command issued", "scsi: task abort", true},
    ErrorLine{"sd {*}: [{dev}] Unhandled error code", "scsi: command failed on {dev}"},
    ErrorLine{"sd {*}: timing out command, waited ", "scsi: command timed out", true},
    ErrorLine{"sd {*}: {*}task abort: ", "scsi: task abort", true},
    ErrorLine{"scsi {*}: {*}task abort: ", "scsi: task abort", true},
    ErrorLine{"sd {*}: {*}task abort on host ", "scsi: task abort", true},
    ErrorLine{"sd {*}: {*}ttempting task abort", "scsi: task abort", true},
    ErrorLine{"scsi {*}: {*}ttempting task abort", "scsi: task abort", true},
    ErrorLine{"mpt{*}: task abort: ", "scsi: task abort", true},
    ErrorLine{"mpt{*}: {*}ttempting task abort", "scsi: task abort", true},
    ErrorLine{"task abort: ", "scsi: task abort", true},
    ErrorLine{"attempting task abort", "scsi: task abort", true},
    // drivers/ata
    ErrorLine{"ata{*}: exception Emask ", "ata exception"},
    ErrorLine{"ata{*}: failed command: {op}", "ata: failed command {op}"},
    ErrorLine{"ata{*}: COMRESET failed", "ata: reset failed"},
    ErrorLine{"ata{*}: softreset failed", "ata: reset failed"},
    ErrorLine{"ata{*}: reset failed", "ata: reset failed"},
    ErrorLine{"ata{*}: qc timeout ", "ata: command timed out", true},
    ErrorLine{"ata{*}: lost interrupt ", "ata: lost interrupt", true},
    ErrorLine{"ata{*}: failed to IDENTIFY ", "ata: device not identified"},
    ErrorLine{"ata{*}: revalidation failed ", "ata: device not identified"},
    ErrorLine{"ata{*}: Read log {*} failed", "ata: log not read"},
    ErrorLine{"hd{*}: {*}_intr: error=", "ide: error"},
    // drivers/block/nbd.c
    ErrorLine{"block {dev}: Connection timed out", "nbd: connection of {dev} timed out", true},
    ErrorLine{"block {dev}: Possible stuck request ", "nbd: stuck request on {dev}", true},
    ErrorLine{"block {dev}: Receive control failed", "nbd: connection of {dev} failed"},
    ErrorLine{"block {dev}: Send control failed", "nbd: connection of {dev} failed"},
    ErrorLine{"block {dev}: Dead connection", "nbd: connection of {dev} failed"},
    ErrorLine{"block {dev}: Other side returned error", "nbd: server of {dev} returned an error"},
    ErrorLine{"block {dev}: Attempted send on ", "nbd: {dev} has no connection"},
    // drivers/md
    ErrorLine{"device-mapper: multipath: {*}Failing path ", "dm-multipath: failing path"},
    ErrorLine{"device-mapper: thin: {*}switching pool to {what} mode",
              "dm-thin: pool switched to {what} mode"},
    ErrorLine{"device-mapper: snapshots: Invalidating snapshot", "dm-snapshot: invalidated"},
    // A table that could not be loaded is a mistake of the one who loads it.
    ErrorLine{"device-mapper: table: ", ""},
    ErrorLine{"device-mapper: ioctl: ", ""},
    ErrorLine{"device-mapper: {what}: {*}rror", "dm-{what} error"},
    ErrorLine{"device-mapper: {what}: {*}ERROR", "dm-{what} error"},
    ErrorLine{"device-mapper: {what}: {*}ailed", "dm-{what} failure"},
    ErrorLine{"device-mapper: {what}: {*}ailure", "dm-{what} failure"},
    ErrorLine{"device-mapper: {what}: {*}orrupt", "dm-{what} corruption"},
    ErrorLine{"bcache: register_bcache() error", ""},
    ErrorLine{"bcache: {*}rror", "bcache: error"},
    ErrorLine{"md/{*}:{dev}: Disk failure on ", "md: disk failure in {dev}"},
    ErrorLine{"md/{*}:{dev}: read error ", "md: read error in {dev}"},
    ErrorLine{"md/{*}:{dev}: {*}: rescheduling sector ", "md: read error in {dev}"},
    ErrorLine{"raid{*}: Disk failure on ", "md: disk failure"},
    ErrorLine{"md: super_written gets error", "md: superblock not written"},
    // drivers/block, drivers/mmc
    ErrorLine{"loop: Write error at byte offset ", "loop: write error"},
    ErrorLine{"{dev}: loop: Write error at byte offset ", "loop: write error"},
    ErrorLine{"mmcblk{*}: error ", "mmc error"},
    ErrorLine{"mmcblk{*}: timed out ", "mmc timeout", true},
    ErrorLine{"mmcblk{*}: recovery failed", "mmc error"},
    ErrorLine{"mmc{*}: error -", "mmc error"},
    ErrorLine{"mmc{*}: cqhci: timeout ", "mmc timeout", true},
    ErrorLine{"mmc{*}: Card stuck in ", "mmc card is stuck", true},
    ErrorLine{"mmc{*}: Timeout waiting for hardware cmd interrupt", "mmc timeout", true},
    ErrorLine{"ubi{*} error: {fn}{*}: ", "UBI error in {fn}"},
    ErrorLine{"UBI error: {fn}: ", "UBI error in {fn}"},
    ErrorLine{"floppy: error ", "floppy: error"},
    ErrorLine{"zram: Decompression failed", "zram: error"},
    ErrorLine{"dasd-eckd {*}ailed", "dasd: failure"},
    ErrorLine{"mmc{*}: Timeout waiting for hardware interrupt", "mmc timeout", true},
};

}  // namespace

std::span<const ErrorLine> io_error_lines() { return kLines; }

}  // namespace stallproof
