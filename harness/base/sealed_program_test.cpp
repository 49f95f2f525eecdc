// SPDX-License-Identifier: Apache-2.0
#include "harness/base/sealed_program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <array>

namespace stallproof {
namespace {

TEST(SealedProgram, CopyIsWholeAndNobodyCanChangeIt) {
  EXPECT_FALSE(runs_from_sealed_copy());
  auto copy = seal_copy_of_program();
  ASSERT_TRUE(copy) << copy.error().what;
  struct stat program {
  }, copied{};
  ASSERT_EQ(::stat("/proc/self/exe", &program), 0);
  ASSERT_EQ(::fstat(copy->get(), &copied), 0);
  EXPECT_EQ(copied.st_size, program.st_size);
  EXPECT_NE(copied.st_mode & S_IXUSR, 0U);
  std::array<char, 4> magic{};
  ASSERT_EQ(::pread(copy->get(), magic.data(), magic.size(), 0), 4);
  EXPECT_EQ(std::string(magic.data() + 1, 3), "ELF");
  EXPECT_LT(::pwrite(copy->get(), "x", 1, 0), 0);
  EXPECT_LT(::ftruncate(copy->get(), 0), 0);
  EXPECT_EQ(::fcntl(copy->get(), F_GET_SEALS),
            F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
}

}  // namespace
}  // namespace stallproof
