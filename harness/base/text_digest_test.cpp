// SPDX-License-Identifier: Apache-2.0
#include "harness/base/text_digest.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

// Published test vectors of FNV-1a, 64 bits.
TEST(TextDigest, IsFnv) {
  EXPECT_EQ(text_digest(""), "cbf29ce484222325");
  EXPECT_EQ(text_digest("a"), "af63dc4c8601ec8c");
  EXPECT_EQ(text_digest("foobar"), "85944171f73967e8");
}

}  // namespace
}  // namespace stallproof
