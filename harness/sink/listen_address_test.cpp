// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/listen_address.h"

#include <gtest/gtest.h>

namespace stallproof {
namespace {

TEST(ListenAddress, PortAloneIsOnThisMachine) {
  for (const char* text : {"9464", ":9464", "localhost:9464", "127.0.0.1:9464"}) {
    const auto address = parse_listen_address(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->host, "127.0.0.1") << text;
    EXPECT_EQ(address->port, 9464) << text;
  }
}

TEST(ListenAddress, OthersAreTakenOnlyWhenWrittenOut) {
  EXPECT_EQ(parse_listen_address("0.0.0.0:1")->host, "0.0.0.0");
  EXPECT_EQ(parse_listen_address("192.0.2.7:0")->port, 0);
}

TEST(ListenAddress, WhatIsNoneIsRefusedByName) {
  for (const char* text :
       {"", ":", "x", "127.0.0.1", "127.0.0.1:", "300.0.0.1:80", ":65536", ":-1", ":80x", "+80",
        "[::1]:80", "::1", "example.com:80", "1.2.3:80", "127.0.0.1:80,81", " :80"}) {
    const auto address = parse_listen_address(text);
    ASSERT_FALSE(address) << text;
    EXPECT_NE(address.error().what.find(std::string("'") + text + "'"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace stallproof
