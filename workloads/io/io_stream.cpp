// SPDX-License-Identifier: Apache-2.0
#include "workloads/io/io_stream.h"

#include <algorithm>

namespace stallproof {
namespace {

constexpr double kTwoTo64 = 0x1p64;

}  // namespace

StreamState::StreamState(const JobStream& stream, const JobFile& file)
    : job_(stream),
      file_size_(file.size),
      align_(file.align),
      largest_(std::max<std::uint64_t>(1, largest_of(stream.xfersizes))) {
  const std::uint64_t parts = std::max(1U, stream.parts);
  // Each part is a whole number of the largest transfers.
  const std::uint64_t width = (stream.high - stream.low) / parts / largest_ * largest_;
  for (std::uint64_t i = 0; i < parts; ++i) {
    auto part = std::make_unique<Part>();
    part->low = stream.low + i * width;
    part->high = i + 1 < parts ? part->low + width : stream.high;
    part->next.store(part->low);
    parts_.push_back(std::move(part));
  }
  hits_.low = stream.hit_low;
  hits_.high = stream.hit_high;
  hits_.next.store(stream.hit_low);
}

bool Chooser::chance(double percent) {
  if (percent >= 100) return true;
  if (percent <= 0) return false;
  return static_cast<double>(prng_.next()) < percent / 100 * kTwoTo64;
}

std::uint32_t Chooser::choose_size(const StreamState& stream) {
  const std::vector<double>& sizes = stream.job_.xfersizes;
  if (sizes.size() == 1) return static_cast<std::uint32_t>(sizes[0]);
  if (sizes.size() == 3) {  // (least, most, align)
    const auto steps = static_cast<std::uint64_t>((sizes[1] - sizes[0]) / sizes[2]);
    return static_cast<std::uint32_t>(sizes[0]) +
           static_cast<std::uint32_t>(prng_.below(steps + 1) *
                                      static_cast<std::uint64_t>(sizes[2]));
  }
  const double drawn = static_cast<double>(prng_.next()) * 100 / kTwoTo64;
  double sum = 0;
  for (std::size_t i = 0; i + 1 < sizes.size(); i += 2) {
    sum += sizes[i + 1];
    if (drawn < sum) return static_cast<std::uint32_t>(sizes[i]);
  }
  return static_cast<std::uint32_t>(sizes[sizes.size() - 2]);
}

std::uint64_t Chooser::random_block(const StreamState& stream, std::uint64_t blocks) {
  if (!stream.job_.hot_middle) return prng_.below(blocks);
  // The mean of three: most of it in the middle, none excluded.
  return (prng_.below(blocks) + prng_.below(blocks) + prng_.below(blocks)) / 3;
}

std::uint64_t Chooser::random_offset(const StreamState& stream, StreamState::Part& part,
                                     std::uint32_t size) {
  const std::uint64_t width = part.high - part.low;
  const std::uint64_t step = stream.align_ == 0 ? size : stream.align_;
  const std::uint64_t blocks = stream.align_ == 0 ? width / size : (width - size) / step;
  const std::uint64_t offset =
      part.low + random_block(stream, std::max<std::uint64_t>(1, blocks)) * step;
  // A workload that is random now and then goes on behind where it jumped to.
  if (stream.job_.seek_percent < 100) part.next.store(offset + size, std::memory_order_relaxed);
  return offset;
}

std::uint64_t Chooser::strided_offset(const StreamState& stream, StreamState::Part& part,
                                      std::uint32_t size) {
  const auto [least, most] = *stream.job_.stride;
  const std::uint64_t step = stream.align_ == 0 ? size : stream.align_;
  const std::uint64_t steps = (most - least) / step;
  const std::uint64_t skip = least + (steps == 0 ? 0 : prng_.below(steps) * step);
  std::uint64_t known = part.next.load(std::memory_order_relaxed);
  for (;;) {
    // The first one is at the beginning: nothing was skipped yet.
    std::uint64_t offset = known == part.low ? part.low : known + skip;
    if (offset + size > part.high) offset = part.low;
    if (part.next.compare_exchange_weak(known, offset + size, std::memory_order_relaxed))
      return offset;
  }
}

bool Chooser::sequential_offset(const StreamState& stream, StreamState::Part& part,
                                std::uint64_t& offset, std::uint32_t& size) {
  std::uint64_t known = part.next.load(std::memory_order_relaxed);
  for (;;) {
    std::uint64_t at = known;
    std::uint32_t bytes = size;
    if (at >= part.high) {
      if (stream.job_.stop_at_end) return false;
      at = part.low;
    }
    // The last one may be short.
    if (at + bytes > part.high) bytes = static_cast<std::uint32_t>(part.high - at);
    if (!part.next.compare_exchange_weak(known, at + bytes, std::memory_order_relaxed)) continue;
    offset = at;
    size = bytes;
    return true;
  }
}

std::optional<IoRequest> Chooser::choose(StreamState& stream) {
  const JobStream& job = stream.job_;
  IoRequest request;
  request.write = !chance(job.read_percent);
  request.size = choose_size(stream);
  const bool hit = chance(request.write ? job.write_hits : job.read_hits);
  StreamState::Part& part = hit ? stream.hits_ : *stream.parts_[index_ % stream.parts_.size()];
  if (!chance(job.seek_percent)) {
    if (!sequential_offset(stream, part, request.offset, request.size)) return std::nullopt;
  } else {
    request.offset = job.stride ? strided_offset(stream, part, request.size)
                                : random_offset(stream, part, request.size);
  }
  if (job.wraps && request.offset + request.size > stream.file_size_) {
    const std::uint64_t whole = stream.file_size_ / stream.largest_ * stream.largest_;
    request.offset = request.offset > whole ? request.offset - whole : 0;
    // What may not touch the first block of a device goes to where it begins.
    if (request.offset == 0 && job.low > 0) request.offset = job.low;
  }
  return request;
}

}  // namespace stallproof
