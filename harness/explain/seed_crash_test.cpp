// SPDX-License-Identifier: Apache-2.0
// The crash core this project starts from (examples/seed-crash): what its explanation must say,
// whatever is done to the text that does not change its meaning.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "harness/base/file.h"
#include "harness/base/prng.h"
#include "harness/base/testing/tree_places.h"
#include "harness/explain/crash_text.h"
#include "harness/explain/explain.h"
#include "harness/explain/render.h"
#include "harness/explain/snapshot_fixture.h"

namespace stallproof {
namespace {

using namespace fixture;

constexpr std::array<const char*, 4> kFiles = {"bt-holder.txt", "bt-writer.txt", "foreach-bt.txt",
                                               "rwsem-waiters.txt"};

std::string seed_file(const std::string& name) {
  auto text = read_file(source_file("examples/seed-crash/" + name));
  return text ? *text : std::string{};
}

std::string seed_text() {
  std::string text;
  for (const char* name : kFiles) text += seed_file(name);
  return text;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

Explanation explained(const std::string& text, const FsKnowledge& knowledge = shipped()) {
  return explain(parse_crash_text(text).snapshot, knowledge);
}

class SeedCrash : public testing::Test {
 protected:
  const CrashText text_ = parse_crash_text(seed_text());
  const Explanation result_ = explain(text_.snapshot, shipped());
};

TEST_F(SeedCrash, IsUnderstoodWhole) {
  for (const TextProblem& problem : text_.problems) ADD_FAILURE() << problem.line << problem.what;
  EXPECT_TRUE(text_.complete);
  EXPECT_EQ(text_.snapshot.tasks.size(), 6U);
  ASSERT_EQ(text_.snapshot.locks.size(), 1U);
  EXPECT_EQ(text_.snapshot.locks[0].waiters.size(), 19U);
}

TEST_F(SeedCrash, ClassAndSignatureAreThoseOfTheLiveStall) {
  EXPECT_EQ(result_.stall_class, "mmap_lock_cycle");
  EXPECT_EQ(result_.signature, "mmap_lock_cycle:fault_read>mprotect_write>service_read");
  EXPECT_EQ(result_.signature, explain(reported_stall(), shipped()).signature);
}

TEST_F(SeedCrash, Java22134IsTheReadHolderInThePageFault) {
  EXPECT_EQ(result_.root.holder, "task:22134");
  EXPECT_EQ(role(result_, "task:22134"), Role::holder);
  const ExplainedEdge* held = edge(result_, result_.root.lock, "task:22134");
  ASSERT_NE(held, nullptr);
  EXPECT_EQ(held->kind, EdgeKind::held_by);
  EXPECT_EQ(held->mode, LockMode::read);
  EXPECT_EQ(held->certainty, Certainty::inferred);
  EXPECT_TRUE(has(held->evidence, "page fault"));
  EXPECT_TRUE(has(result_.summary,
                  "java 22134 holds the mmap_lock of java for read (inferred), in a page fault"));
}

TEST_F(SeedCrash, TheHolderWaitsForTheDataServiceByTheFsFile) {
  const ExplainedEdge* waits_for = edge(result_, "task:22134", "fs:ffs");
  ASSERT_NE(waits_for, nullptr);
  EXPECT_EQ(waits_for->certainty, Certainty::inferred);
  EXPECT_EQ(waits_for->evidence, "ffs.toml:4 waits_for_service \"lock_blkgrp_sync\"");
}

TEST_F(SeedCrash, Java12862IsTheFirstQueuedWriterInMprotect) {
  EXPECT_EQ(result_.root.first_writer, "task:12862");
  EXPECT_EQ(role(result_, "task:12862"), Role::queued_writer);
  EXPECT_TRUE(has(result_.summary,
                  "java 12862 is the first queued writer, in mprotect (do_mprotect_pkey)"));
  EXPECT_EQ(edge(result_, "task:12862", result_.root.lock)->mode, LockMode::write);
}

TEST_F(SeedCrash, ServiceThreadsAreReadersBehindTheWriter) {
  for (const char* id : {"task:28946", "task:28947", "task:28948"}) {
    EXPECT_EQ(role(result_, id), Role::queued_reader) << id;
    ASSERT_NE(edge(result_, id, "task:12862"), nullptr) << id;
    EXPECT_EQ(edge(result_, id, "task:12862")->certainty, Certainty::exact) << id;
    ASSERT_NE(edge(result_, "fs:ffs", id), nullptr) << id;
    EXPECT_EQ(edge(result_, "fs:ffs", id)->kind, EdgeKind::served_by);
  }
  EXPECT_TRUE(
      has(result_.summary, "dataio_srv/1 28946, dataio_srv/2 28947 and dataio_srv/3 28948"));
}

TEST_F(SeedCrash, TheIdleServiceThreadDoesNotSaveTheFault) {
  EXPECT_EQ(role(result_, "task:28945"), Role::idle_service);
  EXPECT_TRUE(has(node(result_, "task:28945")->note, "ofs_tjobq_purge"));
  EXPECT_TRUE(has(node(result_, "task:28945")->note, "jobs are bound to threads (inferred"));
  EXPECT_TRUE(has(result_.summary, "dataio_srv/0 28945 is idle in ofs_tjobq_purge"));
}

TEST_F(SeedCrash, EighteenReadersFifteenByAddressOnly) {
  std::size_t readers = 0;
  std::size_t by_address = 0;
  for (const ExplainedNode& found : result_.nodes) {
    if (found.role != Role::queued_reader) continue;
    ++readers;
    by_address += found.tid == 0 ? 1 : 0;
  }
  EXPECT_EQ(readers, 18U);
  EXPECT_EQ(by_address, 15U);
  EXPECT_TRUE(has(result_.summary, "18 readers (15 of them known by task address only)"));
  EXPECT_EQ(role(result_, "task:0xffff8b92b4332f70"), Role::queued_reader);
}

TEST_F(SeedCrash, TheLocksAddressIsUnknownAndTheListsStartIsNotIt) {
  EXPECT_EQ(result_.root.lock, "lock:unknown");
  EXPECT_TRUE(has(result_.summary, "the lock's address is unknown"));
  EXPECT_FALSE(has(result_.summary, "ffff8b92ab737e20"));
  const bool told = std::any_of(
      result_.blind_spots.begin(), result_.blind_spots.end(), [](const std::string& spot) {
        return has(spot, "0xffff8b92ab737e20") && has(spot, "on the stack of java 12862");
      });
  EXPECT_TRUE(told);
}

TEST_F(SeedCrash, TheCycleRunsThroughTheService) {
  ASSERT_TRUE(result_.cycle);
  EXPECT_EQ(*result_.cycle, (std::vector<std::string>{"task:22134", "fs:ffs", "task:28946",
                                                      "task:12862", "lock:unknown"}));
}

TEST_F(SeedCrash, TextPageMarksWhatIsInferredAndIsShort) {
  const std::string page = render_text(result_);
  EXPECT_TRUE(has(page, "held for read by (inferred) java 22134: closed"));
  EXPECT_TRUE(has(page, "served by (inferred) dataio_srv/1 28946"));
  EXPECT_LT(std::count(page.begin(), page.end(), '\n'), 60);
}

TEST_F(SeedCrash, OrderOfTheFilesDoesNotMatter) {
  std::array<std::size_t, 4> order = {0, 1, 2, 3};
  do {
    std::string text;
    for (const std::size_t i : order) text += seed_file(kFiles[i]);
    const CrashText parsed = parse_crash_text(text);
    const Explanation result = explain(parsed.snapshot, shipped());
    EXPECT_TRUE(parsed.complete);
    EXPECT_EQ(result.summary, result_.summary);
    EXPECT_EQ(result.cycle, result_.cycle);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_F(SeedCrash, LineEndsIndentsPromptsAndRepetitionDoNotMatter) {
  const std::string text = seed_text();
  EXPECT_EQ(explained(replaced(text, "\n", "\r\n")).summary, result_.summary);
  EXPECT_EQ(explained(replaced(text, "\n", "\n   ")).summary, result_.summary);
  EXPECT_EQ(explained(replaced(text, "crash> ", "crash-7.2.8> ")).summary, result_.summary);
  EXPECT_EQ(explained(replaced(text, "  ", " ")).summary, result_.summary);
  EXPECT_EQ(explained(text + text).summary, result_.summary);
  for (const std::string& variant :
       {replaced(text, "\n", "\r\n"), replaced(text, "crash> ", "crash-7.2.8> "), text + text})
    EXPECT_TRUE(parse_crash_text(variant).complete);
}

// Only names of the file system change: with ten lines of TOML nothing is lost.
std::string renamed() {
  std::string text = seed_text();
  const std::vector<std::pair<std::string, std::string>> words = {{"dataio_srv", "brickd"},
                                                                  {"dataio", "brick"},
                                                                  {"ffs_", "brk_"},
                                                                  {"ofs_", "rt_"},
                                                                  {"blkgrp", "slab"}};
  for (const auto& word : words) text = replaced(text, word.first, word.second);
  return text;
}

TEST_F(SeedCrash, RenamedFileSystemNeedsTenLinesOfToml) {
  FsKnowledge knowledge = shipped();
  const auto added = knowledge.add_text(
      "# The brick file system\n"
      "module = \"brick\"\n"
      "service = [\"brickd/*\"]\n"
      "waits_for_service = [\n"
      "  \"lock_slab_*\",\n"
      "]\n"
      "locks_client_mm = [\"brk_get_user_page\"]\n"
      "idle = [\"rt_tjobq_purge\"]\n"
      "advice = \"Ask the brick people.\"\n",
      "brick.toml");
  ASSERT_TRUE(added) << added.error().what;
  const Explanation result = explained(renamed(), knowledge);
  EXPECT_EQ(result.signature, result_.signature);
  ASSERT_TRUE(result.cycle);
  EXPECT_EQ((*result.cycle)[1], "fs:brick");
  EXPECT_EQ(edge(result, "task:22134", "fs:brick")->evidence,
            "brick.toml:5 waits_for_service \"lock_slab_*\"");
  EXPECT_EQ(role(result, "task:28945"), Role::idle_service);
  EXPECT_EQ(result.advice, "Ask the brick people.");
}

TEST_F(SeedCrash, RenamedFileSystemWithoutTomlIsHonest) {
  const Explanation result = explained(renamed());
  EXPECT_FALSE(result.cycle);
  EXPECT_EQ(result.stall_class, "mmap_lock_held");
  EXPECT_EQ(result.root.first_writer, "task:12862");
  EXPECT_EQ(result.root.holder, "task:22134");
  EXPECT_TRUE(has(result.summary, "unknown wait: lock_slab_sync [module not named]"))
      << result.summary;
  EXPECT_EQ(role(result, "task:28946"), Role::queued_reader);
}

TEST_F(SeedCrash, WithoutTheHolderNoCycleIsClaimed) {
  const Explanation result = explained(seed_file("bt-writer.txt") + seed_file("foreach-bt.txt") +
                                       seed_file("rwsem-waiters.txt"));
  EXPECT_FALSE(result.cycle);
  EXPECT_EQ(result.stall_class, "mmap_lock_held");
  EXPECT_EQ(result.root.holder, "");
}

TEST_F(SeedCrash, WithoutTheQueueTheCycleIsInferredFromStacks) {
  const Explanation result = explained(seed_file("bt-holder.txt") + seed_file("bt-writer.txt") +
                                       seed_file("foreach-bt.txt"));
  EXPECT_EQ(result.signature, result_.signature);
  ASSERT_TRUE(result.cycle);
  EXPECT_EQ(edge(result, "task:28946", "task:12862")->certainty, Certainty::inferred);
}

TEST_F(SeedCrash, HolderOfAnotherNameIsNotTiedToTheLock) {
  const std::string other = replaced(seed_file("bt-holder.txt"), "\"java\"", "\"postgres\"");
  const Explanation result =
      explained(other + seed_file("bt-writer.txt") + seed_file("foreach-bt.txt") +
                seed_file("rwsem-waiters.txt"));
  EXPECT_FALSE(result.cycle);
  EXPECT_EQ(result.root.holder, "");
}

TEST_F(SeedCrash, OneServiceThreadOnACpuIsAWayOut) {
  const std::string text = seed_text() +
                           "PID: 28949 TASK: ffff8b93f673eef0 CPU: 3 COMMAND: \"dataio_srv/4\"\n"
                           "(active)\n";
  EXPECT_TRUE(parse_crash_text(text).complete);
  EXPECT_FALSE(explained(text).cycle);
}

TEST(SeedCrashDamage, CutAtEveryLineItIsStillExplained) {
  const std::string text = seed_text();
  for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 1)) {
    const Explanation result = explained(text.substr(0, at + 1));
    EXPECT_FALSE(result.summary.empty());
    EXPECT_FALSE(render_json(result).empty());
  }
}

TEST(SeedCrashDamage, CutInsideALineIsAProblemWithItsLine) {
  const std::string text = seed_file("bt-holder.txt");
  const CrashText parsed = parse_crash_text(text.substr(0, text.find("lock_blkgrp_sync at") + 10));
  EXPECT_FALSE(parsed.complete);
  ASSERT_FALSE(parsed.problems.empty());
  EXPECT_EQ(parsed.problems.front().line, 5U);
  EXPECT_TRUE(has(parsed.problems.front().what, "broken stack frame"));
}

TEST(SeedCrashDamage, RandomBytesNeverBreakIt) {
  const std::string text = seed_text();
  Prng random(20240611);
  for (int round = 0; round < 400; ++round) {
    std::string damaged = text;
    for (std::uint64_t hits = 1 + random.below(60); hits > 0; --hits)
      damaged[random.below(damaged.size())] = static_cast<char>(random.below(256));
    const CrashText parsed = parse_crash_text(damaged);
    const Explanation result = explain(parsed.snapshot, shipped());
    EXPECT_FALSE(render_text(result).empty());
    EXPECT_FALSE(render_json(result).empty());
    EXPECT_FALSE(render_dot(result).empty());
    EXPECT_FALSE(render_svg(result).empty());
  }
}

}  // namespace
}  // namespace stallproof
