// SPDX-License-Identifier: Apache-2.0
// In the place of vmcore_look.cpp where libkdumpfile is missing or cannot be linked.
#include "harness/explain/vmcore/vmcore_look.h"

namespace stallproof {

std::string_view no_vmcores_because() { return "built without libkdumpfile"; }

Result<VmcoreLook> look_at_vmcore(const std::string& path, VmcoreView /*view*/,
                                  const VmcoreSources& /*sources*/) {
  return fail(path +
              ": this build reads no memory images (built without libkdumpfile): open it in crash, "
              "type what `stallproof explain --crash-script` prints, and give the output");
}

}  // namespace stallproof
