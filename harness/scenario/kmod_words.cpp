// SPDX-License-Identifier: Apache-2.0
#include "harness/scenario/kmod_words.h"

#include <fmt/format.h>

#include "harness/scenario/victim_params.h"

namespace stallproof {

Result<LabPlan> ffs_module_lab(const Settings& params, const std::string& fix) {
  const auto warmup = read_warmup(params);
  if (!warmup) return Failure(warmup.error());
  LabPlan lab;
  lab.warmup = *warmup;
  lab.service = false;
  lab.injector = "ffs-module";
  lab.arming = Arming::injection;
  const std::string word = fix.empty() ? "none" : fix;
  const std::string load = fmt::format("insmod ffs_stub.ko i_accept_hangs=1 fix={}", word);
  lab.needs = {{"/dev/ffs", "the module ffs_stub", load},
               {"/sys/kernel/debug/ffs_stub", "the module's control files",
                "mount -t debugfs none /sys/kernel/debug"},
               {"/sys/module/ffs_stub/parameters/fix", fmt::format("ffs_stub with fix={}", word),
                "rmmod ffs_stub && " + load, word}};
  return lab;
}

}  // namespace stallproof
