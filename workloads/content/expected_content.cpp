// SPDX-License-Identifier: Apache-2.0
#include "workloads/content/expected_content.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace stallproof {
namespace {

std::uint64_t word_at(std::span<const std::byte> data, std::size_t at) {
  std::uint64_t word = 0;
  std::memcpy(&word, data.data() + at, sizeof word);
  return word;
}

std::string wanted_text(Generation want) {
  return want == 0 ? "the file's own content" : fmt::format("write {}", want);
}

WrongContent describe(const WrongWord& wrong, Generation want) {
  std::string what = fmt::format("is not what was written there (0x{:016x} for {})", wrong.word,
                                 wanted_text(want));
  if (wrong.word == 0)
    what = fmt::format("is zeros in place of {}", wanted_text(want));
  else if (const auto found = generation_of(wrong.offset, wrong.word))
    what = fmt::format("holds {} in place of {}: a lost write", wanted_text(*found),
                       wanted_text(want));
  return {wrong.offset, std::move(what)};
}

}  // namespace

Result<ExpectedContent> ExpectedContent::create(const Shape& shape) {
  ExpectedContent content;
  content.shape_ = shape;
  if (!shape.tracked) return content;
  content.generations_.reset(new (std::nothrow) std::atomic<Generation>[shape.blocks]());
  if (!content.generations_)
    return fail(fmt::format("no memory to keep what {} blocks hold (a smaller file needs less)",
                            shape.blocks));
  return content;
}

bool ExpectedContent::tolerated(std::uint64_t block, std::uint64_t first_word) const {
  if (!generations_) return false;
  const Generation want = at(block);
  if (want == kUnsure) return true;
  if (want == kZeros && first_word == 0) return true;
  if (first_word == 0) return shape_.zeros_any_time;
  return (shape_.zeros_any_time || shape_.any_writer) &&
         generation_of(block * shape_.block, first_word).has_value();
}

std::optional<WrongContent> ExpectedContent::check_loosely(std::uint64_t offset,
                                                           std::span<const std::byte> data) const {
  for (std::size_t at = 0; at < data.size(); at += sizeof(std::uint64_t)) {
    const std::uint64_t word = word_at(data, at);
    if (word == 0 && shape_.zeros_any_time) continue;
    if (!generation_of(offset + at, word))
      return WrongContent{offset + at, fmt::format("was never written there (0x{:016x})", word)};
  }
  return std::nullopt;
}

std::optional<WrongContent> ExpectedContent::check(std::uint64_t block,
                                                   std::span<const std::byte> data) const {
  const std::uint64_t offset = block * shape_.block;
  const Generation want = generations_ ? at(block) : 0;
  if (want == kUnsure) return std::nullopt;
  if (shape_.zeros_any_time || shape_.any_writer) return check_loosely(offset, data);
  if (want == kZeros) {
    for (std::size_t at = 0; at < data.size(); at += sizeof(std::uint64_t))
      if (const std::uint64_t word = word_at(data, at); word != 0)
        return WrongContent{offset + at,
                            fmt::format("is not zeros after a hole was made (0x{:016x})", word)};
    return std::nullopt;
  }
  const auto wrong = first_wrong_stamp(offset, want, data);
  if (!wrong) return std::nullopt;
  return describe(*wrong, want);
}

void ExpectedContent::set(std::uint64_t first, std::uint64_t count, Generation generation) {
  if (!generations_) return;
  for (std::uint64_t block = first; block < first + count; ++block)
    generations_[block].store(generation, std::memory_order_relaxed);
}

}  // namespace stallproof
