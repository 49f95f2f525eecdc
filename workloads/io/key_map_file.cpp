// SPDX-License-Identifier: Apache-2.0
#include "workloads/io/key_map_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "harness/base/file.h"

namespace stallproof {
namespace {

constexpr std::array<char, 8> kMagic = {'S', 'P', 'K', 'E', 'Y', 'S', '0', '1'};

constexpr std::size_t kMostExcess = 1U << 20U;  // of a file that is too long, to say so

// In front of one byte for each block. Host order, as the validated blocks themselves.
struct SavedHeader {
  std::array<char, 8> magic = kMagic;
  std::array<char, 8> name{};
  std::uint64_t blocks = 0, block_size = 0;
  std::uint64_t pattern_size = 0;  // decides what the blocks hold
  std::uint64_t checksum = 0;
};
static_assert(sizeof(SavedHeader) == 48);

// FNV-1a of the header, its checksum being 0, and the keys.
std::uint64_t checksum_of(SavedHeader header, std::span<const std::uint8_t> keys) {
  header.checksum = 0;
  std::array<std::uint8_t, sizeof header> front;
  std::memcpy(front.data(), &header, sizeof header);
  std::uint64_t sum = 0xcbf29ce484222325;
  for (const std::uint8_t byte : front) sum = (sum ^ byte) * 0x100000001b3;
  for (const std::uint8_t byte : keys) sum = (sum ^ byte) * 0x100000001b3;
  return sum;
}

SavedHeader header_of(KeyMaps& maps, std::size_t index, const std::string& sd_name) {
  const KeyMap map = maps.map(index);
  return {.name = validation_name(sd_name),
          .blocks = map.blocks(),
          .block_size = map.block_size(),
          .pattern_size = pattern_size_for(maps.largest_transfer())};
}

Failure refused(const std::string& path, std::string_view why) {
  return fail(fmt::format("{}: {}; remove it to begin anew", path, why));
}

}  // namespace

Result<> save_key_map(KeyMaps& maps, std::size_t index, const std::string& sd_name,
                      const std::string& path) {
  const KeyMap map = maps.map(index);
  std::vector<std::uint8_t> keys(map.blocks());
  for (std::uint64_t block = 0; block < map.blocks(); ++block) {
    const bool being_written = map.busy(block) && map.key(block) == kBadKey;
    keys[block] = being_written ? kUnknownKey : map.key(block);
  }
  SavedHeader header = header_of(maps, index, sd_name);
  header.checksum = checksum_of(header, keys);
  std::string content(sizeof header, '\0');
  std::memcpy(content.data(), &header, sizeof header);
  content.append(keys.begin(), keys.end());
  return write_file_atomically(path, content);
}

Result<> load_key_map(KeyMaps& maps, std::size_t index, const std::string& sd_name,
                      const std::string& path) {
  KeyMap map = maps.map(index);
  const auto content = read_file(path, sizeof(SavedHeader) + map.blocks() + kMostExcess);
  if (!content) return Failure(content.error());
  SavedHeader found;
  if (content->size() < sizeof found) return refused(path, "this is no map of ours");
  std::memcpy(&found, content->data(), sizeof found);
  if (found.magic != kMagic) return refused(path, "this is no map of ours");
  const SavedHeader wanted = header_of(maps, index, sd_name);
  if (found.name != wanted.name || found.blocks != wanted.blocks ||
      found.block_size != wanted.block_size || found.pattern_size != wanted.pattern_size)
    return refused(path,
                   fmt::format("not of sd={} with {} key blocks of {} bytes and a pattern "
                               "of {} bytes",
                               sd_name, wanted.blocks, wanted.block_size, wanted.pattern_size));
  const std::vector<std::uint8_t> keys(content->begin() + sizeof found, content->end());
  const bool is_whole =
      keys.size() == found.blocks && checksum_of(found, keys) == found.checksum &&
      std::all_of(keys.begin(), keys.end(), [](std::uint8_t key) { return key <= kBadKey; });
  if (!is_whole) return refused(path, "damaged");
  map.fill(keys);
  return {};
}

}  // namespace stallproof
