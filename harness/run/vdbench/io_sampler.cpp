// SPDX-License-Identifier: Apache-2.0
#include "harness/run/vdbench/io_sampler.h"

#include <algorithm>

namespace stallproof {
namespace {

// One that began after `now` was read has no age.
Nanos age_of(const BoardSlot& slot, Nanos now) {
  const Nanos began = slot.op_started_ns.load(std::memory_order_acquire);
  return began == 0 || began > now ? 0 : now - began;
}

OpTotals difference(const OpTotals& later, const OpTotals& earlier) {
  OpTotals out = later;
  out.count -= earlier.count;
  out.bytes -= earlier.bytes;
  out.response_us = std::max(0.0, out.response_us - earlier.response_us);
  out.response_us_squared = std::max(0.0, out.response_us_squared - earlier.response_us_squared);
  for (std::size_t i = 0; i < out.buckets.size(); ++i) out.buckets[i] -= earlier.buckets[i];
  return out;
}

}  // namespace

IoTotals difference(const IoTotals& later, const IoTotals& earlier) {
  return {.read = difference(later.read, earlier.read),
          .write = difference(later.write, earlier.write),
          .outstanding_us = std::max(0.0, later.outstanding_us - earlier.outstanding_us)};
}

IoTotals IoSample::all() const {
  IoTotals sum;
  for (const IoTotals& stream : streams) sum += stream;
  for (const double waiting : waiting_us) sum.outstanding_us += waiting;
  return sum;
}

IoSample IoSampler::sample(Nanos now, std::uint32_t interval) const {
  IoSample sample{.at_ns = now};
  for (std::uint32_t i = 0; i < job_.streams.size(); ++i) {
    const JobFile& file = job_.files[job_.streams[i].file];
    IoTotals totals = panel_.totals(i, file.first_slot, file.threads, interval);
    totals.outstanding_us = totals.read.response_us + totals.write.response_us;
    sample.streams.push_back(totals);
  }
  for (const JobFile& file : job_.files) {
    double waiting = 0;
    for (const BoardSlot& slot : board_.slots().subspan(file.first_slot, file.threads)) {
      const Nanos age = age_of(slot, now);
      waiting += static_cast<double>(age) * 1e-3;
      sample.oldest_ns = std::max(sample.oldest_ns, age);
    }
    sample.waiting_us.push_back(waiting);
  }
  return sample;
}

}  // namespace stallproof
