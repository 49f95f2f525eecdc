// SPDX-License-Identifier: Apache-2.0
#include "workloads/victim/victim_file.h"

#include <fcntl.h>
#include <unistd.h>

namespace stallproof {

Result<VictimFile> VictimFile::make(const LoadContext& load, const std::string& name,
                                    std::size_t pages) {
  VictimFile made;
  const std::string path = load.file + "." + name;
  made.fd_ = Fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!made.fd_.valid())
    return fail_errno(name + ": make " + path, errno,
                      errno == EEXIST ? "remove what an earlier run has left" : "");
  made.path_ = path;
  if (::ftruncate(made.fd_.get(), static_cast<off_t>(pages * kVictimPage)) != 0)
    return fail_errno(name + ": resize " + path, errno);
  return made;
}

VictimFile::~VictimFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

}  // namespace stallproof
