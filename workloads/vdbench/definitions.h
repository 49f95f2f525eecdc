// SPDX-License-Identifier: Apache-2.0
// What parameter files define: general settings, hosts, storage (SD, FSD), workloads (WD, FWD) and
// runs (RD), in the order of the files. Sizes in bytes, times in seconds, shares in percent.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "workloads/files/file_operation.h"
#include "workloads/io/arrivals.h"
#include "workloads/vdbench/parameter.h"

namespace stallproof {

using Names = std::vector<std::string>;

// data_errors=: how many failed I/Os end a run.
struct DataErrors {
  double limit = 50;
  std::string command;  // run at the first error, which also ends the run; empty: none
};

// timeout=: what is done about an I/O that takes too long. Seconds; 0: not asked for.
struct TimeoutRule {
  double report_after = 0;
  double abort_after = 0;
  std::string script;  // called as `script N.N` with the age in seconds; "abort" on stdout aborts
};

// startcmd=, endcmd=: a shell command around the whole, or around each run.
struct ShellCommand {
  std::string command;  // empty: none
  bool to_console = false, to_summary = false;
};

struct General {
  bool concatenate_sds = false;
  bool format_sds = false;
  bool validate = false;
  bool read_after_write = false, no_preread = false, keep_times = false;  // of validation
  DataErrors data_errors;
  TimeoutRule timeout;
  ShellCommand start_command, end_command;
  std::string monitor;  // file; empty: none
  double format_xfersize = 128 << 10;
  bool create_anchors = false;
  std::vector<Parameter> dedup;  // checked together, once all are read
  Names ignored;                 // keywords that are read and do nothing here
  Names not_executed;            // keywords that change the load and are only planned here
  bool message_scan = false;     // given once
};

struct HostDefinition {
  std::string label = "localhost", address = "localhost";
  unsigned jvms = 1, clients = 0;
  bool mounts = false;
  std::string vdbench = "/";
  Place place;
  std::map<std::string, std::string> luns;  // by SD name
};

struct StorageDefinition {
  std::string name;
  Names hosts = {"*"};            // where a lun= alone is
  std::vector<Names> host_lists;  // host= … pair with …
  Names luns;                     // … lun=, in any order
  double size = 0, align = 0, offset = 0, hitarea = 1 << 20;
  int threads = 8;
  int count_start = 0, count = 0;
  std::optional<std::array<double, 2>> range;
  Names open_flags;
  Place place;
};

struct WorkloadDefinition {
  std::string name = "default";
  std::optional<Names> sds;
  Names hosts = {"*"};
  std::vector<double> xfersizes = {4096};
  double skew = 0, iorate = 0, read_percent = 100, read_hits = 0, write_hits = 0;
  double seek_percent = 100;  // 0: sequential, -1: sequential until the end
  bool skip_first = false;    // seqnz: not from the beginning
  double poisson_midpoint = 0;
  std::optional<std::array<double, 2>> range, stride;
  bool hotband = false;
  int threads = 0, streams = 0;
  std::optional<int> priority;
  bool user_class = false;
  std::optional<Names> open_flags;
  Place place;
};

constexpr double kNoTotalSize = std::numeric_limits<double>::max();

struct FileSystemDefinition {
  std::string name, anchor;
  int depth = 1, width = 1, files = 10;
  std::vector<double> sizes = {4096};  // one, pairs of size and share, or (average, 0)
  bool files_in_all_folders = false, shared = false;
  double working_set = 0, total_size = kNoTotalSize;
  int count_start = 0, count = 0;
  Names open_flags;
  Place place;
};

struct FileWorkloadDefinition {
  std::string name = "default";
  Names fsds;
  Names hosts = {"*"};
  std::optional<std::string> target;
  std::vector<double> xfersizes = {4096};
  bool select_random = false, select_once = false;
  double poisson_midpoint = 0;
  bool sequential = true, delete_first = false, share_files = false;
  double stop_after = 0;  // 0: never
  double skew = 0;
  double read_percent = -1;  // -1: operation alone says it
  int threads = 1;
  FileOperation operation = FileOperation::read;
  std::optional<Names> open_flags;
  Place place;
};

// A parameter that makes one run of each of its values.
struct ForLoop {
  std::string name;  // as the plan shows it: threads, xfersize, …
  std::vector<double> values;
};

struct FormatWish {
  bool wanted = false, restart = false, clean = false, only = false, folders = false;
  bool once = false, limited = false, complete = false;
};

// -co, -cy, -cn of the command line: what every run's format= ends as.
enum class FormatOverride { none, only, yes, no };

struct RunDefinition {
  std::string name;
  Names wds, fwds, fsds;
  std::optional<Names> sds;
  Names operations;
  bool for_operations = false;
  double iorate = 0;          // 0: not given
  std::vector<double> rates;  // an iorate= list: a loop, or bursts of distribution=variable
  double fwdrate = 0;
  std::vector<double> curve = {10, 50, 70, 80, 90, 100};
  bool bursts = false;
  ArrivalDistribution distribution = ArrivalDistribution::exponential;
  double stop_curve = 0;  // response in milliseconds; 0: never
  // Bytes after which a run ends, below 100 times all SDs; 0: never.
  double max_data = 0, max_data_read = 0, max_data_written = 0;
  ShellCommand start_command, end_command;
  double elapsed = 30, interval = 1, warmup = 0, pause = 0;
  std::vector<ForLoop> loops;
  FormatWish format;
  std::optional<Names> open_flags;
  Place place;
};

struct ParameterSet {
  std::string written;  // the lines, after substitution
  General general;
  std::vector<HostDefinition> hosts;
  std::vector<StorageDefinition> sds;
  std::vector<FileSystemDefinition> fsds;
  std::vector<WorkloadDefinition> wds;
  std::vector<FileWorkloadDefinition> fwds;
  std::vector<RunDefinition> runs;
  WorkloadDefinition default_wd;  // for a run with sd= and no wd=
  FileWorkloadDefinition default_fwd, format_fwd;
  FormatOverride format_override = FormatOverride::none;
  bool file_systems = false;  // any FSD or FWD: then every run is one of files
};

// `name` or a prefix followed by '*'.
bool matches_name(const std::string& wanted, const std::string& name);

}  // namespace stallproof
