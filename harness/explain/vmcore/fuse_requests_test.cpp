// SPDX-License-Identifier: Apache-2.0
#include "harness/explain/vmcore/fuse_requests.h"

#include <gtest/gtest.h>

#include "harness/explain/vmcore/memory_fixture.h"
#include "harness/probe/decode_scan.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kDevice = 0xffffffff82000000ULL;
constexpr std::uint64_t kConnection = 0xffffffff83000000ULL;
constexpr std::uint64_t kBuckets = 0xffffffff84000000ULL;
constexpr std::uint64_t kRequests = 0xffffffff85000000ULL;
constexpr std::uint64_t kSpace = 0xffffffff86000000ULL;

FuseLayout layout() {
  FuseLayout made{};
  made.dev_fc = 0;
  made.dev_io = 0x10;
  made.dev_processing = 0x20;
  made.hashed = true;
  made.conn_number = 0x00;
  made.conn_waiting = 0x04;
  made.conn_pending = 0x10;
  made.conn_background = 0x20;
  made.conn_pid_ns = 0x30;
  made.pid_ns_level = 0x8;
  made.req_list = 0;
  made.req_unique = 0x10;
  made.req_opcode = 0x18;
  made.req_pid = 0x1c;
  return made;
}

void put_ring(MadeMemory& memory, std::uint64_t head, const std::vector<std::uint64_t>& nodes) {
  std::uint64_t before = head;
  for (const std::uint64_t node : nodes) {
    memory.put(before, node).put(node + 8, before);
    before = node;
  }
  memory.put(before, head).put(head + 8, before);
}

std::uint64_t request(MadeMemory& memory, std::uint64_t unique, std::uint32_t opcode,
                      std::int32_t client) {
  const std::uint64_t at = kRequests + unique * 0x100;
  memory.put(at + 0x10, unique).put(at + 0x18, opcode).put(at + 0x1c, client);
  return at;
}

// Connection 41: a page read that the server has not read, an ioctl that it has not answered.
MadeMemory stuck_connection() {
  MadeMemory memory;
  memory.put(kDevice, kConnection).put(kDevice + 0x20, kBuckets);
  memory.put(kConnection, std::uint32_t{41}).put(kConnection + 4, std::uint32_t{2});
  memory.put(kConnection + 0x30, kSpace).put(kSpace + 8, std::uint32_t{0});
  put_ring(memory, kConnection + 0x10, {request(memory, 12, 15, 101)});
  put_ring(memory, kConnection + 0x20, {});
  put_ring(memory, kDevice + 0x10, {});
  for (std::uint64_t i = 0; i < 256; ++i) put_ring(memory, kBuckets + i * 16, {});
  put_ring(memory, kBuckets + 7 * 16, {request(memory, 14, 39, 102)});
  return memory;
}

struct Read {
  ScanRecords records;
  std::vector<std::string> missing;
};

Read read(const MadeMemory& memory, const std::vector<OpenFuse>& open) {
  Read out;
  add_fuse_records(memory, layout(), open, out.records, out.missing);
  return out;
}

TEST(FuseRequests, AreReadFromTheListsOfConnectionAndDevice) {
  Read got = read(stuck_connection(), {{kDevice, 7}});
  EXPECT_TRUE(got.missing.empty());
  got.records.begin.features = SCAN_HAS_FUSE;
  const LockSnapshot snapshot = decode_records(got.records, KernelSymbols{});
  ASSERT_EQ(snapshot.fuse.size(), 1U);
  const FuseConnection& connection = snapshot.fuse[0];
  EXPECT_EQ(connection.number, 41U);
  EXPECT_EQ(connection.waiting, 2U);
  EXPECT_EQ(connection.server_tgids, std::vector<std::int32_t>{7});
  ASSERT_EQ(connection.requests.size(), 2U);
  EXPECT_EQ(connection.requests[0].client_tid, 101);
  EXPECT_EQ(connection.requests[0].place, RequestPlace::pending);
  EXPECT_EQ(connection.requests[1].unique, 14U);
  EXPECT_EQ(connection.requests[1].opcode, 39U);
  EXPECT_EQ(connection.requests[1].place, RequestPlace::processing);
}

TEST(FuseRequests, ServersThatShareADeviceShareItsRequests) {
  const Read got = read(stuck_connection(), {{kDevice, 7}, {kDevice, 8}});
  EXPECT_EQ(got.records.connections.size(), 2U);
  EXPECT_EQ(got.records.requests.size(), 2U);
}

TEST(FuseRequests, DeviceWithoutAConnectionIsNone) {
  MadeMemory memory = stuck_connection();
  memory.put(kDevice, std::uint64_t{0});
  EXPECT_TRUE(read(memory, {{kDevice, 7}}).records.connections.empty());
}

TEST(FuseRequests, ListThatBreaksOffIsToldAndTheOthersAreRead) {
  MadeMemory memory = stuck_connection();
  memory.forget(kRequests + 12 * 0x100, 16);
  const Read got = read(memory, {{kDevice, 7}});
  ASSERT_EQ(got.missing.size(), 1U);
  EXPECT_NE(got.missing[0].find("connection 41"), std::string::npos) << got.missing[0];
  EXPECT_EQ(got.records.requests.size(), 1U);
}

TEST(FuseRequests, TableThatIsNotThereIsToldOnce) {
  MadeMemory memory = stuck_connection();
  memory.put(kDevice + 0x20, std::uint64_t{0});
  EXPECT_EQ(read(memory, {{kDevice, 7}}).missing.size(), 1U);
}

TEST(FuseRequests, CircleWithoutItsHeadEndsAndIsSaidToBeCut) {
  MadeMemory memory = stuck_connection();
  const std::uint64_t one = kRequests + 12 * 0x100;
  memory.put(one, one).put(one + 8, one);
  const Read got = read(memory, {{kDevice, 7}});
  ASSERT_EQ(got.records.connections.size(), 1U);
  EXPECT_NE(got.records.connections[0].flags & SCAN_CONN_CUT, 0U);
}

TEST(FuseRequests, OlderKernelsKeepOneListOfThoseBeingProcessed) {
  MadeMemory memory = stuck_connection();
  put_ring(memory, kDevice + 0x20, {kRequests + 14 * 0x100});
  FuseLayout older = layout();
  older.hashed = false;
  Read got;
  add_fuse_records(memory, older, {{kDevice, 7}}, got.records, got.missing);
  EXPECT_TRUE(got.missing.empty());
  EXPECT_EQ(got.records.requests.size(), 2U);
}

TEST(FuseRequests, ClientsOfAnotherPidNamespaceAreMarked) {
  MadeMemory memory = stuck_connection();
  memory.put(kSpace + 8, std::uint32_t{1});
  const Read got = read(memory, {{kDevice, 7}});
  EXPECT_NE(got.records.connections[0].flags & SCAN_CONN_PID_NS, 0U);
}

}  // namespace
}  // namespace stallproof
