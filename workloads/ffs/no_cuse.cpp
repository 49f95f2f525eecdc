// SPDX-License-Identifier: Apache-2.0
// libfuse's low-level API names this function of its character-device API, which we never use and
// which brings the high-level API, its loadable modules and so dlopen into a static file. The
// static build defines it instead (libfuse 3.14, lib/fuse_lowlevel.c: only for CUSE_INIT).
#include <cstdint>
#include <cstdlib>

extern "C" {
struct fuse_req;
void cuse_lowlevel_init(fuse_req* request, std::uint64_t inode, const void* argument);
void cuse_lowlevel_init(fuse_req* /*request*/, std::uint64_t /*inode*/, const void* /*argument*/) {
  std::abort();
}
}
