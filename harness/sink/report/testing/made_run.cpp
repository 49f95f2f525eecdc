// SPDX-License-Identifier: Apache-2.0
#include "harness/sink/report/testing/made_run.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <iterator>

#include "harness/base/file.h"
#include "harness/base/prng.h"
#include "harness/explain/render.h"

namespace stallproof::testing_report {
namespace {

ExplainedNode task(int tid, const std::string& comm, Role role, std::vector<std::string> stack) {
  ExplainedNode node;
  node.id = fmt::format("task:{}", tid);
  node.label = fmt::format("{} {}", comm, tid);
  node.comm = comm;
  node.tid = tid;
  node.tgid = role == Role::service ? 200 : 100;
  node.state = 'D';
  node.role = role;
  node.stack = std::move(stack);
  return node;
}

Explanation reported_stall() {
  Explanation told;
  told.stall_class = "mmap_lock_cycle";
  told.signature = "mmap_lock_cycle:fault_read>mprotect_write>service_read";
  told.summary = "fault/0 101 holds the mmap_lock of app (pid 100) for read and waits for FUSE.";
  told.nodes = {task(101, "fault/0", Role::holder, {"request_wait_answer", "filemap_fault"}),
                task(201, "dataio_srv/0", Role::queued_reader, {"process_vm_rw_core"}),
                task(102, "mprotect/0", Role::queued_writer, {"do_mprotect_pkey"})};
  ExplainedNode fuse;
  fuse.id = "fuse:39";
  fuse.kind = NodeKind::fuse;
  fuse.label = "FUSE connection 39";
  ExplainedNode lock;
  lock.id = "lock:mm:0x1";
  lock.kind = NodeKind::lock;
  lock.label = "mmap_lock of app (pid 100)";
  told.nodes.push_back(fuse);
  told.nodes.push_back(lock);
  told.edges = {
      {"task:101", fuse.id, EdgeKind::waits_for, {}, Certainty::exact, "READ request 7"},
      {fuse.id, "task:201", EdgeKind::served_by, {}, Certainty::inferred, "fuse.toml:3"},
      {"task:201", "task:102", EdgeKind::waits_for, LockMode::read, Certainty::exact, "behind it"},
      {"task:102", lock.id, EdgeKind::waits_for, LockMode::write, Certainty::exact, "entry 1"},
      {"task:201", lock.id, EdgeKind::waits_for, LockMode::read, Certainty::exact, "entry 2"},
      {lock.id, "task:101", EdgeKind::held_by, LockMode::read, Certainty::exact, "vm_fault"}};
  told.cycle = {"task:101", fuse.id, "task:201", "task:102", lock.id};
  told.root = {"task:101", "task:102", lock.id};
  told.advice = "echo 1 > /sys/fs/fuse/connections/39/abort";
  return told;
}

}  // namespace

MadeRun::MadeRun() {
  std::string pattern = ::testing::TempDir() + "stallproof-report-XXXXXX";
  EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
  path_ = pattern;
  put("run.id", "20261126-031000.000-made-1\n");
  put("events.jsonl", "{\"t_ms\":1,\"event\":\"load_started\"}\n");
  put("env.json", R"({"schema":1,"node":"node7","kernel":"6.18","cpus":2,"tool_version":"0.1.0"})");
}

MadeRun::~MadeRun() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void MadeRun::put(const std::string& name, const std::string& content) const {
  const std::string path = path_ + "/" + name;
  EXPECT_TRUE(make_directories(path.substr(0, path.rfind('/'))));
  EXPECT_TRUE(write_file_atomically(path, content));
}

void MadeRun::remove(const std::string& name) const {
  std::error_code ignored;
  std::filesystem::remove_all(path_ + "/" + name, ignored);
}

Verdict quiet_verdict(double seconds) {
  Verdict verdict;
  verdict.run = "20261126-031000.000-made-1";
  verdict.outcome = Outcome::pass;
  verdict.exit_code = 0;
  verdict.reasons = {"no stall"};
  verdict.node = "node7";
  verdict.kernel = "6.18";
  verdict.target_path = "/mnt/data";
  verdict.target_fstype = "ext4";
  verdict.started = "2026-11-26T03:10:00.000+01:00";
  verdict.ended = "2026-11-26T13:10:00.000+01:00";
  verdict.duration_s = seconds;
  verdict.stall_after_ms = 1000;
  verdict.fail_after_ms = 30000;
  verdict.dropout_below = 0.1;
  verdict.observer.lens = "bpf";
  verdict.workloads["load-0"] = {.ops = 1000, .bytes = 4096000, .p50_us = 12.5, .p99_us = 300};
  return verdict;
}

void put_stalled_run(const MadeRun& run) {
  Verdict verdict = quiet_verdict(20);
  verdict.outcome = Outcome::fail;
  verdict.exit_code = 1;
  verdict.reasons = {"stalled: mmap_lock_cycle (incident 001)"};
  const Explanation told = reported_stall();
  StallEntry stall;
  stall.id = "001";
  stall.stall_class = told.stall_class;
  stall.signature = told.signature;
  stall.onset_ms = 10000;
  stall.detected_ms = 11000;
  stall.resolved_ms = 14000;
  stall.failing = true;
  verdict.stalls.push_back(stall);
  verdict.dropouts = {{"load-0", 2000, 2500, 0.04}, {"load-0", 6000, 3000, 0}};
  verdict.observer.canary = CanaryEntry{.passed = true, .fault = "fuse-server-hung"};
  run.put("verdict.json", verdict_json(verdict));
  run.put("plan.toml", "[plan]\nname = \"made\"\n");
  run.put("incidents/001/incident.json",
          fmt::format(R"({{"id":"001","class":"{}","signature":"{}","onset_ms":10000,
          "detected_ms":11000,"resolved_ms":14000,"loads":["load-0"],"sources":["no-progress"],
          "detectors":["no-progress","pressure"],"support":[{{"detector":"pressure",
          "since_ms":10500,"count":3,"what":"io full 80 %"}}],"blocked_tasks":4,
          "cycle_confirmed":true}})",
                      told.stall_class, told.signature));
  run.put("incidents/001/explanation.json", render_json(told));
  run.put("incidents/001/stacks.txt", "fault/0 tid 101\n");
  run.put("incidents/001/sources.json", R"([{"file":"pressure.txt","took_ms":2.5}])");
}

void put_series(const MadeRun& run, int loads, int seconds) {
  Prng chance(7);
  std::string rows = "t_ms,load,ops,bytes,errors,p50_us,p99_us,max_us,in_flight,oldest_ms\n";
  std::string classes = "t_ms,load,from_us,count\n";
  for (int second = 1; second <= seconds; ++second)
    for (int load = 0; load < loads; ++load) {
      const bool stands = second % 2400 > 2390;
      const auto ops = stands ? 0 : 4000 * (load + 1) + chance.below(2000);
      const int p50 = 80 + static_cast<int>(chance.below(40));
      fmt::format_to(std::back_inserter(rows), "{},load-{},{},{},0,", second * 1000 + 3, load, ops,
                     ops * 4096);
      if (stands)
        rows += fmt::format(",,,8,{}\n", (second % 2400 - 2390) * 1000);
      else
        rows += fmt::format("{},{},{},8,{}\n", p50, p50 * 9 + chance.below(300),
                            p50 * 40 + chance.below(9000), 1 + chance.below(9));
      for (int edge = 16; !stands && edge <= 4096; edge *= 2)
        fmt::format_to(std::back_inserter(classes), "{},load-{},{},{}\n", second * 1000 + 3, load,
                       edge + edge / 4, 1 + chance.below(1000));
    }
  run.put("series/loads.csv", rows);
  run.put("series/latency.csv", classes);
  run.put("series/windows.csv",
          "start_ms,end_ms,kind,text\n5000,6000,canary,a known stall\n7000,9000,mark,failover, "
          "planned\n");
}

}  // namespace stallproof::testing_report
