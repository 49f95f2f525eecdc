// SPDX-License-Identifier: Apache-2.0
// Injectors at work on a disk and on processes of the test's own: what they make, and that nothing
// of it is left.
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "workloads/injector/ext4_disk.h"
#include "workloads/injector/injector_catalogue.h"

namespace stallproof {
namespace {

constexpr const char* kFreezer = "/sys/fs/cgroup/freezer";

class InjectorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "mounting needs root";
    char pattern[] = "/tmp/stallproof-injector-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern), nullptr);
    directory_ = pattern;
    ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
  }
  void TearDown() override {
    std::error_code ignored;
    if (!directory_.empty()) std::filesystem::remove(directory_, ignored);
  }
  [[nodiscard]] Settings words(const char* injector, std::vector<std::string> given = {}) const {
    Settings settings = *Settings::from_words(given);
    for (const WorkloadParameter& parameter : find_injector(injector)->parameters)
      if (const std::string name(parameter.name); !settings.has(name))
        settings.set(name, std::string(parameter.fallback));
    settings.set("disk-size", "16MiB");
    return settings;
  }
  [[nodiscard]] bool nothing_left() const { return std::filesystem::is_empty(directory_); }

  std::string directory_;
};

bool ends_within(pid_t pid, Nanos span) {
  const Deadline deadline = Deadline::in(span);
  while (!deadline.passed()) {
    if (::waitpid(pid, nullptr, WNOHANG) == pid) return true;
    ::poll(nullptr, 0, 1);
  }
  return false;
}

TEST_F(InjectorTest, AFrozenDiskLetsNobodyWriteUntilItIsHealed) {
  const auto injector = find_injector("freeze-disk")->make();
  const auto file = injector->prepare({directory_, words("freeze-disk")});
  ASSERT_TRUE(file) << file.error().what;
  ASSERT_TRUE(injector->inject(::getpid()));
  const pid_t writer = ::fork();
  if (writer == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::_exit(::open(file->c_str(), O_CREAT | O_WRONLY, 0600) >= 0 ? 0 : 1);
  }
  EXPECT_FALSE(ends_within(writer, 100 * kMillisecond));
  EXPECT_TRUE(injector->heal());
  EXPECT_TRUE(injector->heal()) << "a second time there is nothing to do";
  EXPECT_TRUE(ends_within(writer, 2 * kSecond));
  EXPECT_TRUE(injector->remove());
  EXPECT_TRUE(injector->remove());
  EXPECT_TRUE(nothing_left());
}

TEST_F(InjectorTest, ADiskThatIsNotItsOwnLoopDeviceIsNotFrozen) {
  auto disk = Ext4Disk::make(directory_ + "/disk", 16U << 20U);
  ASSERT_TRUE(disk) << disk.error().what;
  const Fd elsewhere(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY));
  LoopDevice device;
  device.number = (*disk)->device_number();
  EXPECT_FALSE(lies_on(device, elsewhere));
  const Fd on_it(::open((*disk)->file("").c_str(), O_RDONLY | O_DIRECTORY));
  EXPECT_TRUE(lies_on(device, on_it));
}

TEST_F(InjectorTest, AProcessFrozenByItsCgroupGoesOnWhenHealed) {
  if (::access(kFreezer, W_OK) != 0) GTEST_SKIP() << "no freezer of cgroup version 1";
  const std::string group = fmt::format("{}/stallproof-test-{}", kFreezer, ::getpid());
  const auto injector = find_injector("freeze-process")->make();
  const auto file =
      injector->prepare({directory_, words("freeze-process", {"cgroup-freezer=" + group})});
  ASSERT_TRUE(file) << file.error().what;
  const pid_t worker = ::fork();
  if (worker == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::poll(nullptr, 0, 50);
    ::_exit(0);
  }
  ASSERT_TRUE(injector->inject(worker));
  EXPECT_FALSE(ends_within(worker, 200 * kMillisecond));
  EXPECT_TRUE(injector->heal());
  EXPECT_TRUE(ends_within(worker, 2 * kSecond));
  EXPECT_TRUE(injector->remove());
  EXPECT_FALSE(std::filesystem::exists(group));
  EXPECT_TRUE(nothing_left());
}

TEST_F(InjectorTest, WithoutTheControllerItIsToldWhatIsLacking) {
  for (const char* name : {"cpu-quota", "throttle-disk", "freeze-process"}) {
    const auto injector = find_injector(name)->make();
    const auto file = injector->prepare({directory_, words(name)});
    ASSERT_FALSE(file) << name;
    EXPECT_EQ(file.error().origin, Origin::lacking);
    EXPECT_NE(file.error().what.find("controller"), std::string::npos) << file.error().what;
    EXPECT_TRUE(injector->remove());
    EXPECT_TRUE(nothing_left());
  }
}

}  // namespace
}  // namespace stallproof
