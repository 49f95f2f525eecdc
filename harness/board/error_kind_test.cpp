// SPDX-License-Identifier: Apache-2.0
#include "harness/board/error_kind.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <set>

namespace stallproof {
namespace {

TEST(ErrorKind, WhatAFileSystemSaysIsToldApart) {
  EXPECT_EQ(kind_of_error(EIO), ErrorKind::io);
  EXPECT_EQ(kind_of_error(EDQUOT), ErrorKind::space);
  EXPECT_EQ(kind_of_error(ESTALE), ErrorKind::missing);
  EXPECT_EQ(kind_of_error(EROFS), ErrorKind::permission);
  EXPECT_EQ(kind_of_error(ETIMEDOUT), ErrorKind::timeout);
  EXPECT_EQ(kind_of_error(ENOTCONN), ErrorKind::connection);
  EXPECT_EQ(kind_of_error(ENOMEM), ErrorKind::memory);
  EXPECT_EQ(kind_of_error(EEXIST), ErrorKind::busy);
  EXPECT_EQ(kind_of_error(EINVAL), ErrorKind::other);
}

TEST(ErrorKind, WhatIsNoErrnoIsATransferThatWasNotWhole) {
  for (const int error : {0, -1, 797, 798, 60003})
    EXPECT_EQ(kind_of_error(error), ErrorKind::transfer);
}

TEST(ErrorKind, EveryKindHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kErrorKinds; ++i)
    EXPECT_TRUE(names.insert(error_kind_name(static_cast<ErrorKind>(i))).second) << i;
  EXPECT_EQ(error_kind_name(static_cast<ErrorKind>(99)), "other");
}

}  // namespace
}  // namespace stallproof
