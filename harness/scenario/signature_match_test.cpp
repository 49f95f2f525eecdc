// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/signature_match.h"

#include <gtest/gtest.h>

#include "harness/scenario/catalogue.h"

namespace stallproof {
namespace {

ScenarioMatch best(const std::string& signature, std::vector<std::string> words = {}) {
  const auto found = match_signature({.stall_class = signature.substr(0, signature.find(':')),
                                      .signature = signature,
                                      .words = std::move(words)});
  EXPECT_FALSE(found.empty()) << signature;
  return found.empty() ? ScenarioMatch{.scenario = &scenarios().front()} : found.front();
}

TEST(SignatureMatch, TheReportedStallIsMadeByItsScenarioOnTheHostFirst) {
  // Frames of the module that the crash core has too: what runs here goes before a guest.
  const auto found = best("mmap_lock_cycle:fault_read>mprotect_write>service_read",
                          {"ffs_filemap_fault [ffs]", "lock_blkgrp_sync [ffs]"});
  EXPECT_EQ(found.scenario->id, "mmap-lock-fault");
  EXPECT_TRUE(found.exact);
}

TEST(SignatureMatch, AnUnknownSignatureOfAKnownClassIsNoExactMatch) {
  EXPECT_FALSE(best("mmap_lock_cycle:nobody_read").exact);
}

TEST(SignatureMatch, AnUnknownClassHasNoScenario) {
  EXPECT_TRUE(match_signature({"gremlins", "gremlins:everywhere"}).empty());
  EXPECT_TRUE(match_signature({"none", "none"}).empty());
}

TEST(SignatureMatch, VariantsThatStayQuietAreNoMatch) {
  for (const ScenarioMatch& match : match_signature({"fs_frozen", "fs_frozen"}))
    EXPECT_NE(match.variant, "brief");
}

TEST(SignatureMatch, EveryStallOfTheHostIsKnownByASignatureOfItsClass) {
  for (const Scenario& scenario : scenarios())
    for (const Named& variant : scenario.variants) {
      if (variant.quiet || scenario.where != "host" || scenario.expected_class == "none") continue;
      const auto plan = plan_scenario(scenario, {.variant = std::string(variant.name)});
      ASSERT_TRUE(plan);
      const auto known = known_signatures(*plan);
      EXPECT_FALSE(known.empty()) << scenario.id << " " << variant.name;
      for (const std::string& signature : known)
        EXPECT_TRUE(signature.starts_with(plan->expected_class + ":")) << signature;
    }
}

TEST(SignatureMatch, WhatIsOnTheStacksTellsScenariosOfOneSignatureApart) {
  const std::string circle = "mmap_lock_cycle:mmap_write>service_read";
  EXPECT_EQ(best(circle, {"fuse_vma_close", "process_vm_rw_core.constprop.0"}).scenario->id,
            "mmap-lock-mapfixed");
  EXPECT_EQ(best(circle, {"fuse_vma_close", "proc_pid_cmdline_read"}).scenario->id,
            "fuse-audit-cmdline");
  EXPECT_EQ(best(circle, {"invalidate_inode_pages2_range", "process_vm_rw"}).scenario->id,
            "mmap-lock-direct-mmap");
  const std::string queued = "mmap_lock_cycle:mmap_write>mprotect_write>service_read";
  EXPECT_EQ(best(queued, {"fuse_vma_close", "process_vm_rw"}).scenario->id, "mmap-lock-mapfixed");
  EXPECT_EQ(best(queued, {"invalidate_inode_pages2_range"}).scenario->id, "mmap-lock-direct-mmap");
  for (const char* device :
       {"device_stuck:request>device>service_stopped", "device_stuck:request>device"}) {
    EXPECT_EQ(best(device, {"io_cqring_wait"}).scenario->id, "io-uring-silent");
    EXPECT_EQ(best(device, {"submit_bio_wait"}).scenario->id, "loop-on-dead-fuse");
  }
  EXPECT_EQ(best("device_stuck:request>device", {"device:nbd0"}).scenario->id, "nbd-dead");
  const std::string mapping = "vma_lock_held:fault_read>mprotect_write";
  EXPECT_EQ(best(mapping, {"percpu_rwsem_wait"}).scenario->id, "vma-lock-freeze");
  EXPECT_EQ(best(mapping, {"folio_wait_writeback"}).scenario->id, "vma-lock-mkwrite");
}

TEST(SignatureMatch, LocksOfAModuleAreToldApartByWhoWaits) {
  EXPECT_EQ(best("lock_held:unknown>other_write", {"ffs_wait_mutex"}).scenario->id,
            "kmod-hold-mutex");
  EXPECT_EQ(best("lock_held:unknown>other_write", {"ffs_wait_rwsem_read"}).scenario->id,
            "kmod-hold-rwsem-write");
}

TEST(SignatureMatch, TheVariantIsTheOneThatIsToldSo) {
  EXPECT_EQ(best("fs_server_stuck:request>service_stopped").variant, "stopped");
  EXPECT_EQ(best("fs_server_stuck:request>service_blocked").variant, "silent");
  EXPECT_EQ(best("mmap_lock_held:munmap_read>mprotect_write").variant, "held");
}

TEST(SignatureMatch, AnotherCallThatQueuesIsMadeByAnotherWriter) {
  const auto found = best("mmap_lock_cycle:fault_read>madvise_write>service_read");
  EXPECT_EQ(found.scenario->id, "mmap-lock-fault");
  EXPECT_TRUE(found.exact);
  EXPECT_EQ(found.params.text("writer", ""), "thread-churn");
  EXPECT_TRUE(best("mmap_lock_cycle:fault_read>mprotect_write>service_read").params.all().empty());
}

}  // namespace
}  // namespace stallproof
