// SPDX-License-Identifier: Apache-2.0
// net/sunrpc, fs/{nfs,smb,ceph,lockd}, net/ceph, drivers/block/{rbd,drbd,nbd}, drivers/scsi of
// iSCSI and Fibre Channel, drivers/nvme of fabrics; Lustre.
#include <array>

#include "harness/explain/log/error_lines.h"

namespace stallproof {
namespace {

constexpr std::array kLines{
    ErrorLine{"nfs: server {dev} not responding", "nfs: server {dev} not responding", true},
    ErrorLine{"nfs4: server {dev} not responding", "nfs: server {dev} not responding", true},
    ErrorLine{"nfs3: server {dev} not responding", "nfs: server {dev} not responding", true},
    ErrorLine{"nfsd: server {dev} not responding", "nfsd: server {dev} not responding", true},
    ErrorLine{"lockd: server {dev} not responding", "lockd: server {dev} not responding", true},
    ErrorLine{"statd: server {dev} not responding", "statd: server {dev} not responding", true},
    ErrorLine{"rpcbind: server {dev} not responding", "rpcbind: server {dev} not responding", true},
    ErrorLine{"NFS: {*}server {dev} error: ", "nfs: error of server {dev}"},
    ErrorLine{"NFS: state manager: {what} failed on NFSv4 server {dev} with ",
              "nfs: {what} failed on server {dev}"},
    ErrorLine{"NFS: {fn}: {*}eclaim failed", "nfs: reclaim failed in {fn}"},
    ErrorLine{"CIFS: VFS: {*} has not responded in ", "cifs: server not responding", true},
    ErrorLine{"CIFS VFS: Server {dev} has not responded in ", "cifs: server not responding", true},
    ErrorLine{"CIFS: VFS: {*}ailed", "cifs: failure"},
    ErrorLine{"CIFS: VFS: {*}rror", "cifs: error"},
    ErrorLine{"CIFS VFS: {*}ailed", "cifs: failure"},
    ErrorLine{"CIFS VFS: {*}rror", "cifs: error"},
    // net/ceph, fs/ceph
    ErrorLine{"libceph: connect {*} error -", "libceph: no connection"},
    ErrorLine{"libceph: tid {*} on {dev} timeout", "libceph: request of {dev} timed out", true},
    ErrorLine{"libceph: {dev} {*}connect error", "libceph: no connection to {dev}"},
    ErrorLine{"libceph: {dev} {*}socket closed", "libceph: connection to {dev} closed"},
    ErrorLine{"libceph: {dev} {*}socket error ", "libceph: connection to {dev} failed"},
    ErrorLine{"libceph: {dev} {*}session lost", "libceph: session of {dev} lost", true},
    ErrorLine{"libceph: {dev} {*}protocol ", "libceph: connection to {dev} failed"},
    ErrorLine{"libceph: osd{what} down", "libceph: osd down", true},
    ErrorLine{"ceph: {dev} hung", "ceph: {dev} hung", true},
    ErrorLine{"ceph: [{*}]: {dev} hung", "ceph: {dev} hung", true},
    ErrorLine{"ceph: [{*}]: {dev} caps stale", "ceph: {dev} does not answer", true},
    ErrorLine{"ceph: {dev} caps stale", "ceph: {dev} does not answer", true},
    ErrorLine{"ceph: {dev} {*}reconnect denied", "ceph: {dev} does not let in"},
    ErrorLine{"rbd: {dev}: {op} at {*} result -", "rbd: {op} failed on {dev}"},
    ErrorLine{"rbd: {dev}: {*}result -", "rbd: request failed on {dev}"},
    ErrorLine{"block {dev}: Remote failed to finish a request within", "drbd: {dev} waits for peer",
              true},
    ErrorLine{"block {dev}: Local IO failed", "drbd: I/O failed on {dev}"},
    ErrorLine{"block {dev}: {*}PingAck did not arrive in time", "drbd: peer of {dev} is gone",
              true},
    ErrorLine{"drbd {dev}: {*}PingAck did not arrive in time", "drbd: peer of {dev} is gone", true},
    ErrorLine{"drbd {dev} {*}PingAck did not arrive in time", "drbd: peer of {dev} is gone", true},
    // drivers/scsi/libiscsi.c, scsi_transport_{iscsi,fc}.c
    ErrorLine{"connection{*}: detected conn error", "iscsi: connection failed", true},
    ErrorLine{"connection{*}: ping timeout of ", "iscsi: ping timed out", true},
    ErrorLine{"session{*}: session recovery timed out", "iscsi: session lost"},
    ErrorLine{"iscsi: connection{*}: detected conn error", "iscsi: connection failed", true},
    ErrorLine{"rport-{*}: blocked FC remote port time out", "fc: remote port lost"},
    // drivers/nvme/host/{fabrics,tcp,rdma}.c
    ErrorLine{"nvme {dev}: queue {*}: timeout ", "nvme timeout on {dev}", true},
    ErrorLine{"nvme {dev}: starting error recovery", "nvme error recovery of {dev}", true},
    ErrorLine{"nvme {dev}: failed to connect socket", "nvme: no connection of {dev}"},
    // Lustre
    ErrorLine{"LustreError: {pid}:{*}:({*}:{*}:{fn}())", "Lustre error in {fn}"},
    ErrorLine{"LustreError: ", "Lustre error"},
    ErrorLine{"LNetError: {pid}:{*}:({*}:{*}:{fn}())", "LNet error in {fn}"},
    ErrorLine{"LNetError: ", "LNet error"},
    ErrorLine{"Lustre: {*}: Connection to {dev} {*}was lost", "Lustre: connection to {dev} lost",
              true},
    ErrorLine{"Lustre: {*}Request sent has timed out", "Lustre: request timed out", true},
    ErrorLine{"Lustre: {*}Request sent has failed", "Lustre: request failed"},
};

}  // namespace

std::span<const ErrorLine> server_error_lines() { return kLines; }

}  // namespace stallproof
