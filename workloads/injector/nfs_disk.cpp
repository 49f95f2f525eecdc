// SPDX-License-Identifier: Apache-2.0
// A folder in memory, served by the kernel's own NFS server and mounted from it (hard, NFS 4.2)
// through a relay that falls silent: the server is there no more, and the connection does not say
// so.
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "workloads/injector/injector_catalogue.h"
#include "workloads/injector/left_things.h"
#include "workloads/injector/nfs_server.h"
#include "workloads/injector/tcp_relay.h"

namespace stallproof {
namespace {

class NfsDisk : public Injector {
 public:
  Result<std::string> prepare(const InjectorContext& context) override {
    directory_ = context.directory;
    if (auto served = serve(); !served) return Failure{served.error()};
    auto port = relay_.start(server_port_);
    if (!port) return Failure{port.error()};
    if (auto mounted = mount_client(*port); !mounted) return Failure{mounted.error()};
    return client() + "/data";
  }
  Result<> inject(pid_t) override {
    relay_.be_silent(true);
    return {};
  }
  Result<> heal() override {
    relay_.be_silent(false);
    return {};
  }
  Result<> remove() override {
    if (directory_.empty()) return {};
    if (client_mounted_ && ::umount2(client().c_str(), MNT_DETACH) != 0)
      return fail_errno("umount " + client(), errno, {}, Origin::infra);
    client_mounted_ = false;
    if (started_)
      if (auto stopped = stop_nfs_server(settings_); !stopped) return stopped;
    started_ = false;
    relay_.stop();
    if (server_mounted_ && ::umount2(server().c_str(), MNT_DETACH) != 0)
      return fail_errno("umount " + server(), errno, {}, Origin::infra);
    server_mounted_ = false;
    ::rmdir(client().c_str());
    ::rmdir(server().c_str());
    forget_things(directory_);
    return {};
  }

 private:
  [[nodiscard]] std::string server() const { return directory_ + "/export"; }
  [[nodiscard]] std::string client() const { return directory_ + "/disk"; }

  Result<> serve() {
    auto settings = nfs_settings();
    if (!settings) return Failure{settings.error()};
    settings_ = *settings;
    if (::mkdir(server().c_str(), 0755) != 0 || ::mkdir(client().c_str(), 0755) != 0)
      return fail_errno("make folders in " + directory_, errno);
    if (::mount("tmpfs", server().c_str(), "tmpfs", 0, "size=64m") != 0)
      return fail_errno("mount a tmpfs on " + server(), errno);
    server_mounted_ = true;
    if (auto noted = note_thing(directory_, {"nfsd", settings_}); !noted) return noted;
    started_ = true;
    const auto port = start_nfs_server(server());
    if (!port) return Failure{port.error()};
    server_port_ = *port;
    return {};
  }

  Result<> mount_client(std::uint16_t port) {
    const std::string words = fmt::format(
        "vers=4.2,proto=tcp,port={},addr=127.0.0.1,clientaddr=127.0.0.1,hard,timeo=600,sec=sys",
        port);
    if (::mount("127.0.0.1:/", client().c_str(), "nfs4", 0, words.c_str()) != 0)
      return fail_errno("mount 127.0.0.1:/ on " + client(), errno, "modprobe nfsv4",
                        Origin::lacking);
    client_mounted_ = true;
    return {};
  }

  std::string directory_, settings_;
  TcpRelay relay_;
  std::uint16_t server_port_ = 0;
  bool server_mounted_ = false, client_mounted_ = false, started_ = false;
};

}  // namespace

InjectorInfo nfs_disk_injector();
InjectorInfo nfs_disk_injector() {
  return {.name = "nfs-disk",
          .summary = "a file system of the kernel's own NFS server, which falls silent",
          .parameters = {},
          .make = [] { return std::unique_ptr<Injector>(std::make_unique<NfsDisk>()); }};
}

}  // namespace stallproof
