// SPDX-License-Identifier: Apache-2.0
#include "workloads/io/key_map.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <set>
#include <thread>

#include "workloads/io/key_map_file.h"

namespace stallproof {
namespace {

constexpr std::uint64_t kBlocks = 100;
using Keys = std::vector<std::uint8_t>;

KeyMaps made(bool keep_times = false, std::uint64_t largest = 65536) {
  const std::array<KeyMapSpec, 3> specs = {KeyMapSpec{kBlocks * 4096 + 100, 4096}, KeyMapSpec{},
                                           KeyMapSpec{kBlocks * 512, 512}};
  auto maps = KeyMaps::create(specs, largest, keep_times);
  EXPECT_TRUE(maps) << maps.error().what;
  return std::move(*maps);
}

Keys acquired(KeyMap map, std::uint64_t first, std::size_t count) {
  Keys keys(count);
  return map.try_acquire(first, keys) == KeyMap::Taken::yes ? keys : Keys();
}

void give_keys(KeyMap map, std::uint64_t first, const Keys& keys) {
  const Keys before = acquired(map, first, keys.size());
  ASSERT_EQ(before.size(), keys.size());
  map.release(first, before, keys);
}

TEST(KeyMap, KeysGoUpByOneAndFrom126To1) {
  Prng prng(1);
  EXPECT_EQ(next_key(1, prng), 2);
  EXPECT_EQ(next_key(125, prng), 126);
  EXPECT_EQ(next_key(126, prng), 1);
}

TEST(KeyMap, FirstKeyIsAnyOf126) {
  Prng prng(1);
  std::set<std::uint8_t> seen;
  for (int i = 0; i < 5000; ++i) seen.insert(next_key(kUnknownKey, prng));
  EXPECT_EQ(seen.size(), 126U);
  EXPECT_EQ(*seen.begin(), 1);
  EXPECT_EQ(*seen.rbegin(), 126);
}

TEST(KeyMap, EveryFileHasItsOwnWholeBlocks) {
  KeyMaps maps = made();
  ASSERT_EQ(maps.size(), 3U);
  EXPECT_EQ(maps.map(0).blocks(), kBlocks);
  EXPECT_EQ(maps.map(1).blocks(), 0U);
  EXPECT_EQ(maps.map(2).block_size(), 512U);
  give_keys(maps.map(2), 0, Keys(kBlocks, 3));
  EXPECT_FALSE(maps.map(0).any_known(0, kBlocks));
  EXPECT_EQ(maps.map(2).known(), kBlocks);
}

TEST(KeyMap, BusyBlocksAreTakenByNobodyElse) {
  KeyMaps maps = made();
  KeyMap map = maps.map(0);
  const Keys first = acquired(map, 10, 4);
  ASSERT_EQ(first, Keys(4, kUnknownKey));
  Keys keys(4);
  EXPECT_EQ(map.try_acquire(8, keys), KeyMap::Taken::busy);
  EXPECT_FALSE(map.busy(8) || map.busy(9)) << "half of them was kept";
  map.release(10, first, Keys{1, 2, 3, 4});
  EXPECT_EQ(acquired(map, 8, 4), (Keys{0, 0, 1, 2}));
}

TEST(KeyMap, BadBlocksAreTakenByNobodyEver) {
  KeyMaps maps = made();
  KeyMap map = maps.map(0);
  give_keys(map, 0, {5, 6, 7});
  give_keys(map, 1, {kBadKey});
  Keys keys(3);
  EXPECT_EQ(map.try_acquire(0, keys), KeyMap::Taken::bad);
  EXPECT_EQ(map.known(), 2U);
  EXPECT_EQ(map.bad(), 1U);
  EXPECT_EQ(acquired(map, 0, 1), Keys{5});
}

TEST(KeyMap, ThreadsNeverHaveTheSameBlockAtATime) {
  KeyMaps maps = made();
  constexpr std::uint64_t kFew = 16;
  std::array<std::atomic<int>, kFew> holders{};
  std::atomic<int> clashes{0};
  std::atomic<std::uint64_t> taken{0};
  const auto work = [&](std::uint64_t seed) {
    Prng prng(seed);
    KeyMap map = maps.map(0);
    for (int i = 0; i < 100'000; ++i) {
      const std::size_t count = 1 + prng.below(4);
      const std::uint64_t first = prng.below(kFew - count + 1);
      Keys keys(count);
      if (map.try_acquire(first, keys) != KeyMap::Taken::yes) continue;
      taken.fetch_add(1);
      for (std::size_t block = first; block < first + count; ++block)
        clashes += holders.at(block).fetch_add(1);
      Keys next = keys;
      for (std::uint8_t& key : next) key = next_key(key, prng);
      for (std::size_t block = first; block < first + count; ++block) holders.at(block) -= 1;
      map.release(first, keys, next);
    }
  };
  std::vector<std::thread> threads;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) threads.emplace_back(work, seed);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(clashes.load(), 0);
  EXPECT_GT(taken.load(), 1000U);
  EXPECT_EQ(maps.map(0).known(), kFew);
}

TEST(KeyMap, BlocksOfADeadWorkerAreFreeAndUnknownWhereItWrote) {
  KeyMaps maps = made();
  KeyMap map = maps.map(0);
  give_keys(map, 0, {5, 6, 7, 8});
  ASSERT_EQ(acquired(map, 0, 3).size(), 3U);
  map.begin_write(1, 1);
  EXPECT_EQ(map.settle_abandoned(), 1U);
  EXPECT_EQ(acquired(map, 0, 4), (Keys{5, kUnknownKey, 7, 8}));
  EXPECT_EQ(map.known(), 3U);
  EXPECT_EQ(map.bad(), 0U);
}

TEST(KeyMap, LastUseIsKeptWhenAskedFor) {
  KeyMaps maps = made(true);
  maps.map(0).note_use(7, {LastUse::read_back, 1'795'000'000'123});
  const LastUseTime found = maps.map(0).last_use(7);
  EXPECT_EQ(found.use, LastUse::read_back);
  EXPECT_EQ(found.at_ms, 1'795'000'000'123U);
  EXPECT_EQ(maps.map(0).last_use(8).use, LastUse::none);
  EXPECT_FALSE(made().map(0).keeps_times());
}

TEST(KeyMap, AttachedMapsAreTheSame) {
  KeyMaps maps = made(true);
  auto other = KeyMaps::attach(maps.fd());
  ASSERT_TRUE(other) << other.error().what;
  give_keys(other->map(2), 50, {9});
  EXPECT_EQ(maps.map(2).key(50), 9);
  EXPECT_EQ(other->largest_transfer(), 65536U);
  EXPECT_EQ(other->owner(), static_cast<std::uint32_t>(::getpid()));
}

TEST(KeyMap, OtherMemoryIsRefused) {
  const Fd memory(::memfd_create("other", MFD_CLOEXEC));
  EXPECT_FALSE(KeyMaps::attach(memory.get()));
  ASSERT_EQ(::ftruncate(memory.get(), 1 << 20), 0);
  EXPECT_FALSE(KeyMaps::attach(memory.get()));
}

class SavedKeyMap : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(::mkdtemp(directory_.data()), nullptr);
    path_ = directory_ + "/sd1.map";
    give_keys(maps_.map(0), 0, {1, 126, kBadKey, kUnknownKey, 77});
    const auto saved = save_key_map(maps_, 0, "sd1", path_);
    ASSERT_TRUE(saved) << saved.error().what;
  }
  void TearDown() override {
    ::unlink(path_.c_str());
    ::rmdir(directory_.c_str());
  }
  void flip_byte(std::streamoff at) {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(at);
    const int byte = file.get();
    file.seekp(at);
    file.put(static_cast<char>(byte ^ 1));
  }

  std::string directory_ = "/tmp/stallproof-keys-XXXXXX";
  std::string path_;
  KeyMaps maps_ = made();
};

TEST_F(SavedKeyMap, IsTheSameAgain) {
  KeyMaps other = made();
  const auto loaded = load_key_map(other, 0, "sd1", path_);
  ASSERT_TRUE(loaded) << loaded.error().what;
  for (std::uint64_t block = 0; block < kBlocks; ++block)
    EXPECT_EQ(other.map(0).key(block), maps_.map(0).key(block)) << block;
  EXPECT_EQ(other.map(0).known(), 3U);
  EXPECT_EQ(other.map(0).bad(), 1U);
}

TEST_F(SavedKeyMap, ContentUnderAWriteIsSavedAsUnknown) {
  ASSERT_EQ(acquired(maps_.map(0), 0, 2).size(), 2U);
  maps_.map(0).begin_write(0, 1);
  ASSERT_TRUE(save_key_map(maps_, 0, "sd1", path_));
  KeyMaps other = made();
  ASSERT_TRUE(load_key_map(other, 0, "sd1", path_));
  EXPECT_EQ(acquired(other.map(0), 0, 2), (Keys{kUnknownKey, 126}));
}

TEST_F(SavedKeyMap, AnyFlippedByteIsSeen) {
  for (std::streamoff at = 0; at < static_cast<std::streamoff>(48 + kBlocks); ++at) {
    flip_byte(at);
    KeyMaps other = made();
    EXPECT_FALSE(load_key_map(other, 0, "sd1", path_)) << at;
    EXPECT_EQ(other.map(0).known(), 0U);
    flip_byte(at);
  }
}

TEST_F(SavedKeyMap, AnotherSdSizeOrPatternIsRefused) {
  KeyMaps other = made();
  EXPECT_FALSE(load_key_map(other, 0, "sd2", path_));
  EXPECT_FALSE(load_key_map(other, 2, "sd1", path_));
  KeyMaps larger = made(false, 4 << 20);
  EXPECT_FALSE(load_key_map(larger, 0, "sd1", path_));
  ASSERT_EQ(::truncate(path_.c_str(), 60), 0);
  EXPECT_FALSE(load_key_map(other, 0, "sd1", path_));
}

}  // namespace
}  // namespace stallproof
