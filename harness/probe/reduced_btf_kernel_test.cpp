// SPDX-License-Identifier: Apache-2.0
// Kernels that lack things, made from this one: bpftool leaves in a copy of its BTF only what one
// of our BPF objects reads.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "harness/base/file.h"
#include "harness/base/testing/tree_places.h"
#include "harness/probe/decode_scan.h"
#include "harness/probe/kernel_scan.h"
#include "harness/probe/testing/mmap_lock_trap.h"

namespace stallproof {
namespace {

class ReducedBtfTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::access(kKernelBtf, R_OK) != 0) GTEST_SKIP() << "this kernel has no BTF";
    if (::geteuid() != 0) GTEST_SKIP() << "needs root for BPF";
    const auto scan = KernelScan::open();
    ASSERT_TRUE(scan) << scan.error().what;
    ASSERT_EQ(scan->fuse_problem(), "");
    ASSERT_NE(::mkdtemp(directory_.data()), nullptr);
    path_ = directory_ + "/reduced.btf";
  }
  void TearDown() override {
    if (path_.empty()) return;
    ::unlink(path_.c_str());
    ::rmdir(directory_.c_str());
  }
  // The BTF of a kernel that has exactly what `object` reads.
  void reduce_to(const std::string& object) {
    const std::string file = built_file("skeletons/" + object + ".bpf.o");
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::execl(SP_BPFTOOL, "bpftool", "gen", "min_core_btf", kKernelBtf, path_.c_str(), file.c_str(),
              static_cast<char*>(nullptr));
      ::_exit(127);
    }
    int status = -1;
    ASSERT_TRUE(
        testing::wait_for(20 * kSecond, [&] { return ::waitpid(pid, &status, WNOHANG) == pid; }));
    ASSERT_EQ(status, 0);
  }

  // As if the kernel had no field or type of this name.
  void take_away(const std::string& name) {
    std::string bytes = read_file(path_).value_or("");
    const std::string whole = '\0' + name + '\0';
    const std::size_t at = bytes.find(whole);
    ASSERT_NE(at, std::string::npos) << name << " is not read at all";
    bytes[at + 1] = '-';
    ASSERT_TRUE(write_file_atomically(path_, bytes));
  }

  static constexpr const char* kKernelBtf = "/sys/kernel/btf/vmlinux";
  std::string directory_ = "/tmp/stallproof-btf-XXXXXX";
  std::string path_;
};

TEST_F(ReducedBtfTest, WithoutFuseTypesTheRestWorksAndEverySnapshotSaysSo) {
  reduce_to("task_scan");
  auto scan = KernelScan::open({.btf_path = path_});
  ASSERT_TRUE(scan) << scan.error().what;
  EXPECT_NE(scan->fuse_problem().find("the BTF has no struct"), std::string::npos)
      << scan->fuse_problem();
  ASSERT_TRUE(scan->watch(::getpid()));
  std::vector<std::byte> bytes(1U << 20U);
  const auto used = scan->scan(bytes);
  ASSERT_TRUE(used);
  bytes.resize(*used);
  EXPECT_FALSE(scan_is_whole(bytes));
  const LockSnapshot snapshot = decode_scan(bytes, nullptr, KernelSymbols());
  EXPECT_TRUE(snapshot.fuse.empty());
  EXPECT_TRUE(std::any_of(snapshot.tasks.begin(), snapshot.tasks.end(),
                          [](const TaskRow& task) { return task.tid == ::getpid(); }));
  EXPECT_TRUE(
      std::any_of(snapshot.blind_spots.begin(), snapshot.blind_spots.end(),
                  [](const std::string& spot) { return spot.find("FUSE") != std::string::npos; }));
}

TEST_F(ReducedBtfTest, AbsentKernelFieldsAreOneErrorThatNamesTheFirst) {
  reduce_to("fuse_scan");
  const auto scan = KernelScan::open({.btf_path = path_});
  ASSERT_FALSE(scan);
  EXPECT_EQ(scan.error().origin, Origin::lacking);
  EXPECT_NE(scan.error().what.find("the BTF has no struct"), std::string::npos)
      << scan.error().what;
  EXPECT_EQ(scan.error().what.find('\n'), std::string::npos);
}

TEST_F(ReducedBtfTest, AKernelWithoutOneOfTheOptionalFieldsIsScannedAllTheSame) {
  for (const char* const name :
       {"in_execve", "sum_exec_runtime", "run_delay", "wait_page_queue", "s_writers",
        "percpu_rw_semaphore", "ki_complete", "throttle_count", "throttled"}) {
    reduce_to("task_scan");
    take_away(name);
    auto scan = KernelScan::open({.fuse = false, .btf_path = path_});
    EXPECT_TRUE(scan) << name << ": " << scan.error().what;
  }
}

TEST_F(ReducedBtfTest, WholeBtfFromAFileLacksNothing) {
  const auto scan = KernelScan::open({.btf_path = kKernelBtf});
  ASSERT_TRUE(scan) << scan.error().what;
  EXPECT_EQ(scan->fuse_problem(), "");
}

}  // namespace
}  // namespace stallproof
