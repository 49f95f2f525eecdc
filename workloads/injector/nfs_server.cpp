// SPDX-License-Identifier: Apache-2.0
#include "workloads/injector/nfs_server.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <sstream>

#include "harness/base/clock.h"
#include "harness/base/first_line.h"
#include "workloads/injector/tcp_relay.h"

namespace stallproof {
namespace {

constexpr const char* kClient = "stallproof";  // the name under which 127.0.0.1 is known
constexpr long kKnownFor = 24L * 3600;         // seconds
// fs/nfsd/export.h, include/uapi/linux/nfsd/export.h: insecure ports, async, no subtree check, and
// a file system known by a number: 0, which is the root of NFS 4.
constexpr unsigned kExportFlags = 0x2 | 0x10 | 0x400 | 0x2000;
constexpr unsigned kNobody = 65534;
constexpr Nanos kGraceWithin = 12 * kSecond;
constexpr const char* kShortestGrace = "10\n";  // seconds; fs/nfsd/nfsctl.c __nfsd4_write_time

std::string control(const char* name) { return fmt::format("{}/{}", kNfsdControl, name); }

// net/sunrpc/cache.c: one write, one entry.
Result<> tell_cache(const char* cache, const std::string& entry) {
  return write_control_file(fmt::format("/proc/net/rpc/{}/channel", cache), entry + "\n");
}

Result<> fill_caches(const std::string& folder) {
  const long until = static_cast<long>(::time(nullptr)) + kKnownFor;
  if (auto told = tell_cache("auth.unix.ip", fmt::format("nfsd 127.0.0.1 {} {}", until, kClient));
      !told)
    return told;
  if (auto told = tell_cache("nfsd.export", fmt::format("{} {} {} {} {} {} 0", kClient, folder,
                                                        until, kExportFlags, kNobody, kNobody));
      !told)
    return told;
  // 1: the file system is known by a number of 4 bytes.
  return tell_cache("nfsd.fh", fmt::format("{} 1 \\x00000000 {} {}", kClient, until, folder));
}

void empty_caches() {
  for (const char* const cache : {"nfsd.fh", "nfsd.export", "auth.unix.ip"})
    [[maybe_unused]] const auto ignored = write_control_file(
        fmt::format("/proc/net/rpc/{}/flush", cache), fmt::format("{}\n", ::time(nullptr)));
}

// Each version by itself: what a kernel does not know is no reason to fail.
void offer_versions(const std::string& words) {
  std::istringstream all(words);
  for (std::string word; std::getline(all, word, ',');)
    [[maybe_unused]] const auto ignored = write_control_file(control("versions"), word + "\n");
}

// Nobody has anything to reclaim from a server that has just been made. A kernel without a program
// that keeps the clients' names (nfsdcld) refuses to end it early: then the time must pass, or
// whoever opens a file is sent away to come again.
void end_grace() {
  const std::string file = control("v4_end_grace");
  [[maybe_unused]] const auto ignored = write_control_file(file, "Y\n");
  for (const Deadline deadline = Deadline::in(kGraceWithin); !deadline.passed();
       ::poll(nullptr, 0, 50))
    if (first_line(file) == "Y") return;
}

}  // namespace

Result<std::string> nfs_settings() {
  if (const std::string threads = first_line(control("threads")); threads != "0")
    return fail(fmt::format("{} says '{}': an NFS server runs here, and is left alone",
                            control("threads"), threads),
                Origin::lacking);
  std::string versions = first_line(control("versions"));
  std::replace(versions.begin(), versions.end(), ' ', ',');
  return first_line(control("nfsv4gracetime")) + ":" + versions;
}

Result<std::uint16_t> start_nfs_server(const std::string& folder) {
  const auto listener = listen_on_loopback();
  if (!listener) return Failure{listener.error()};
  offer_versions("-2,-3,+4,+4.1,+4.2");
  if (auto set = write_control_file(control("nfsv4gracetime"), kShortestGrace); !set)
    return Failure{set.error()};
  if (auto filled = fill_caches(folder); !filled) return Failure{filled.error()};
  if (auto given =
          write_control_file(control("portlist"), fmt::format("{}\n", listener->socket.get()));
      !given)
    return Failure{given.error()};
  if (auto started = write_control_file(control("threads"), "2\n"); !started)
    return Failure{started.error()};
  end_grace();
  return listener->port;
}

Result<> stop_nfs_server(const std::string& settings) {
  if (::access(control("threads").c_str(), F_OK) != 0) return {};
  if (auto stopped = write_control_file(control("threads"), "0\n"); !stopped) return stopped;
  empty_caches();
  const std::size_t colon = settings.find(':');
  if (colon == std::string::npos) return {};
  offer_versions(settings.substr(colon + 1));
  return write_control_file(control("nfsv4gracetime"), settings.substr(0, colon) + "\n");
}

}  // namespace stallproof
