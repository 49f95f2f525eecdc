// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <linux/io_uring.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstring>
#include <thread>

#include "harness/base/fd.h"
#include "harness/base/file.h"
#include "harness/base/privileges.h"
#include "harness/capture/crash_means.h"
#include "harness/capture/sysrq_report.h"
#include "harness/cmd/doctor_checks.h"
#include "harness/explain/vmcore/vmcore_look.h"
#include "harness/probe/fuse_connections.h"
#include "harness/probe/kernel_scan.h"
#include "harness/probe/kernel_symbols.h"
#include "harness/probe/mountinfo.h"
#include "harness/store/run_dir.h"

namespace stallproof {
namespace {

// First line of a small file, or empty.
std::string line_of(const std::string& path) {
  auto content = read_file(path, 65536);
  if (!content) return {};
  return content->substr(0, content->find('\n'));
}

// What this program was built without.
DoctorRow build_row() {
#ifdef SP_STATIC_BUILD
  return {"build", Ability::there, "one static file; without prometheus-cpp and libkdumpfile",
          "no exporter and no reading of vmcores; text files and output of crash instead", false};
#else
  if (!no_vmcores_because().empty())
    return {"build", Ability::there, "shared libraries; without libkdumpfile",
            "no reading of vmcores (install libkdumpfile-dev and build again)", false};
  return {"build", Ability::there, "shared libraries", "", false};
#endif
}

DoctorRow root_row() {
  const bool root = ::geteuid() == 0;
  return {"root", root ? Ability::there : Ability::lacking, root ? "yes" : "no",
          root ? "" : "no mounts, no look into locks and other users' stacks", true};
}

DoctorRow fuse_row() {
  const bool there = ::access("/dev/fuse", R_OK | W_OK) == 0;
  return {"FUSE", there ? Ability::there : Ability::lacking,
          there ? "/dev/fuse opens" : "/dev/fuse is missing or closed to you",
          there ? "" : "no stall can be made on this machine (modprobe fuse)", true};
}

DoctorRow fusectl_row() {
  const auto mounts = read_mounts_bounded();
  const auto control = mounts ? find_fusectl(*mounts) : std::nullopt;
  if (control) return {"fusectl", Ability::there, "mounted on " + *control, "", false};
  return {"fusectl", Ability::lacking, "not mounted",
          "connections are aborted by umount -f instead "
          "(mount -t fusectl none /sys/fs/fuse/connections)",
          false};
}

std::vector<DoctorRow> bpf_rows() {
  const auto scanner = KernelScan::open();
  std::vector<DoctorRow> rows;
  if (!scanner) {
    rows.push_back({"BPF iterator", Ability::lacking, scanner.error().what,
                    "lock owners, queues and FUSE requests are not seen: explanations are inferred",
                    false});
    return rows;
  }
  rows.push_back(
      {"BPF iterator", Ability::there, "tasks and mmap_lock owners and queues", "", false});
  const std::string& problem = scanner->fuse_problem();
  rows.push_back({"BPF for FUSE", problem.empty() ? Ability::there : Ability::lacking,
                  problem.empty() ? "requests and servers" : problem,
                  problem.empty() ? "" : "which server a request waits for is not seen", false});
  return rows;
}

DoctorRow symbols_row() {
  const auto symbols = KernelSymbols::load();
  return {"kernel symbols", symbols ? Ability::there : Ability::lacking,
          symbols ? fmt::format("{} functions", symbols->size()) : symbols.error().what,
          symbols ? "" : "stacks show addresses, not names", false};
}

DoctorRow kernel_log_row() {
  const bool there = ::access("/dev/kmsg", R_OK) == 0;
  return {"kernel log", there ? Ability::there : Ability::lacking,
          there ? "/dev/kmsg" : "/dev/kmsg cannot be read",
          there ? "" : "the kernel's own reports are missing from incidents", false};
}

std::vector<DoctorRow> hung_task_rows() {
  const std::string timeout = line_of("/proc/sys/kernel/hung_task_timeout_secs");
  if (timeout.empty())
    return {{"hung-task detector", Ability::lacking, "not in this kernel",
             "no second opinion from the kernel", false}};
  const std::string panic = line_of("/proc/sys/kernel/hung_task_panic");
  const std::string warnings = line_of("/proc/sys/kernel/hung_task_warnings");
  std::vector<DoctorRow> rows{{"hung-task detector", Ability::there,
                               fmt::format("after {} s, {} warnings left", timeout, warnings), "",
                               false}};
  if (panic != "0" && !panic.empty())
    rows.push_back({"hung_task_panic", Ability::warning, panic,
                    "a deadlock that stands longer than the time-out panics this machine", false});
  return rows;
}

DoctorRow sysrq_row() {
  if (::access(kSysrqTrigger, F_OK) != 0)
    return {"sysrq", Ability::lacking, "not in this kernel",
            "--on-stall sysrq and capture --sysrq give nothing", false};
  const SysrqPlan plan = plan_sysrq(kernel_log_room());
  std::string finding = fmt::format("{} (kernel.sysrq = {}, raised while it is asked)",
                                    plan.letters, line_of("/proc/sys/kernel/sysrq"));
  return {"sysrq", Ability::there, finding,
          plan.left_out.empty() ? "" : fmt::format("{}", fmt::join(plan.left_out, "; ")), false};
}

// What --on-stall panic would be refused for.
DoctorRow kdump_row() {
  const CrashMeans means = look_at_crash_means(state_directory());
  const CrashLack lack = lacking_for_crash(means);
  if (!lack.what.empty())
    return {"kdump", Ability::lacking, lack.what, "--on-stall panic is refused", false};
  std::string finding = "a crash kernel is loaded";
  if (means.dump_free && means.dump_needed)
    finding += fmt::format("; {}: {} MiB free, a vmcore needs at most {} MiB", means.dump_place,
                           *means.dump_free >> 20U, *means.dump_needed >> 20U);
  std::string doubt = doubt_of_crash_kernel(means);
  if (!means.dump_free)
    doubt += (doubt.empty() ? "" : "; ") +
             std::string("where it writes is not known here: the room is not checked");
  return {"kdump", Ability::there, finding, doubt, false};
}

DoctorRow io_uring_row() {
  Fd ring;
  int error = 0;
  // As a load is: kernel.io_uring_disabled = 1 asks for CAP_SYS_ADMIN, which loads give up.
  std::thread([&ring, &error] {
    give_up_all_but(kKeptByLoads);
    io_uring_params params{};
    ring = Fd(static_cast<int>(::syscall(SYS_io_uring_setup, 1U, &params)));
    if (!ring.valid()) error = errno;
  }).join();
  return {"io_uring", ring.valid() ? Ability::there : Ability::lacking,
          ring.valid() ? "rings can be made" : std::strerror(error),
          ring.valid() ? "" : "loads use psync", false};
}

DoctorRow cgroup_row() {
  const bool unified = ::access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
  const bool hybrid = ::access("/sys/fs/cgroup/unified/cgroup.controllers", F_OK) == 0;
  const bool any = ::access("/sys/fs/cgroup", F_OK) == 0;
  return {"cgroups", any ? Ability::there : Ability::lacking,
          unified  ? "v2"
          : hybrid ? "hybrid v1 and v2"
          : any    ? "v1"
                   : "not mounted",
          any ? "" : "no throttling or freezing scenarios", false};
}

DoctorRow kvm_row() {
  const bool there = ::access("/dev/kvm", R_OK | W_OK) == 0;
  return {"VM acceleration", there ? Ability::there : Ability::lacking,
          there ? "/dev/kvm opens" : "no /dev/kvm",
          there ? "" : "virtual machines run under software emulation (slow)", false};
}

}  // namespace

std::vector<DoctorRow> check_machine() {
  std::vector<DoctorRow> rows{build_row(), root_row(), fuse_row(), fusectl_row()};
  for (DoctorRow& row : bpf_rows()) rows.push_back(std::move(row));
  rows.push_back(symbols_row());
  rows.push_back(kernel_log_row());
  for (DoctorRow& row : check_watchdog()) rows.push_back(std::move(row));
  for (DoctorRow& row : hung_task_rows()) rows.push_back(std::move(row));
  for (DoctorRow& row :
       std::vector{sysrq_row(), kdump_row(), io_uring_row(), cgroup_row(), kvm_row()})
    rows.push_back(std::move(row));
  return rows;
}

}  // namespace stallproof
