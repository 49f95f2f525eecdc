// SPDX-License-Identifier: Apache-2.0
#include "workloads/io/io_job.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/board/shared_memory.h"

namespace stallproof {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(JobFile, name, path, size, align, threads, open_flags, read_only,
                                   sync_at_end, first_slot, key_block, key_map)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(JobValidation, on, read_after_write, no_preread, keep_times)

namespace {

using Json = nlohmann::json;

Json stream_json(const JobStream& stream) {
  Json json{{"workload", stream.workload},
            {"file", stream.file},
            {"xfersizes", stream.xfersizes},
            {"read_percent", stream.read_percent},
            {"seek_percent", stream.seek_percent},
            {"read_hits", stream.read_hits},
            {"write_hits", stream.write_hits},
            {"range", {stream.low, stream.high, stream.hit_low, stream.hit_high}},
            {"wraps", stream.wraps},
            {"stop_at_end", stream.stop_at_end},
            {"hot_middle", stream.hot_middle},
            {"parts", stream.parts},
            {"rate", stream.rate}};
  if (stream.stride) json["stride"] = *stream.stride;
  return json;
}

JobStream stream_of(const Json& json) {
  JobStream stream{.workload = json.at("workload"),
                   .file = json.at("file"),
                   .xfersizes = json.at("xfersizes").get<std::vector<double>>(),
                   .read_percent = json.at("read_percent"),
                   .seek_percent = json.at("seek_percent"),
                   .read_hits = json.at("read_hits"),
                   .write_hits = json.at("write_hits"),
                   .low = json.at("range").at(0),
                   .high = json.at("range").at(1),
                   .hit_low = json.at("range").at(2),
                   .hit_high = json.at("range").at(3),
                   .wraps = json.at("wraps"),
                   .stop_at_end = json.at("stop_at_end"),
                   .hot_middle = json.at("hot_middle"),
                   .stride = std::nullopt,
                   .parts = json.at("parts"),
                   .rate = json.at("rate")};
  if (json.contains("stride"))
    stream.stride = json.at("stride").get<std::array<std::uint64_t, 2>>();
  return stream;
}

}  // namespace

std::uint64_t largest_of(const std::vector<double>& xfersizes) {
  if (xfersizes.size() == 3) return static_cast<std::uint64_t>(xfersizes[1]);
  double largest = 0;
  for (std::size_t i = 0; i < xfersizes.size(); i += 2) largest = std::max(largest, xfersizes[i]);
  return static_cast<std::uint64_t>(largest);
}

std::uint64_t IoJob::largest_transfer(std::uint32_t file) const {
  std::uint64_t largest = 0;
  for (const JobStream& stream : streams)
    if (stream.file == file) largest = std::max(largest, largest_of(stream.xfersizes));
  return largest;
}

std::string job_json(const IoJob& job) {
  Json streams = Json::array();
  for (const JobStream& stream : job.streams) streams.push_back(stream_json(stream));
  return Json{{"engine", job.engine},
              {"files", job.files},
              {"streams", streams},
              {"distribution", job.distribution},
              {"seed", job.seed},
              {"jvm", job.jvm},
              {"validation", job.validation}}
      .dump();
}

Result<IoJob> job_of_json(const std::string& text) {
  try {
    const Json json = Json::parse(text);
    IoJob job{.engine = json.at("engine"),
              .files = json.at("files").get<std::vector<JobFile>>(),
              .streams = {},
              .distribution = json.at("distribution"),
              .seed = json.at("seed"),
              .jvm = json.at("jvm"),
              .validation = json.at("validation")};
    for (const Json& stream : json.at("streams")) job.streams.push_back(stream_of(stream));
    return job;
  } catch (const Json::exception& error) {
    return fail(std::string("the job cannot be read: ") + error.what(), Origin::infra);
  }
}

Result<Fd> share_job(const IoJob& job) { return share_text(job_json(job)); }

Result<IoJob> job_of_memory(int fd) {
  const auto text = text_of_memory(fd);
  if (!text) return Failure(text.error());
  return job_of_json(*text);
}

}  // namespace stallproof
