// SPDX-License-Identifier: Apache-2.0
#include "harness/run/target_facts.h"

#include "harness/probe/fs_modules.h"
#include "harness/probe/fuse_server.h"

namespace stallproof {
namespace {

constexpr Nanos kServerWithin = 2 * kSecond;

}  // namespace

TargetFacts look_at_target_facts(const std::string& fstype, std::uint32_t connection) {
  TargetFacts facts;
  for (const FsModule& module : modules_of_fs(fstype, module_sources()))
    facts.modules.push_back({.name = module.name,
                             .version = module.version,
                             .srcversion = module.srcversion,
                             .built_in = module.built_in});
  if (connection == 0) return facts;
  if (const auto server = find_fuse_server(connection, kServerWithin))
    facts.server = FsServerEntry{.pid = server->pid, .comm = server->comm, .exe = server->exe};
  return facts;
}

void note_target_facts(const TargetFacts& facts, Verdict& verdict) {
  verdict.target_modules = facts.modules;
  verdict.target_server = facts.server;
}

}  // namespace stallproof
