// SPDX-License-Identifier: Apache-2.0
// SQLite can load extensions, which we never ask it to, and names libc's dlopen for it (SQLite
// 3.40, os_unix.c unixDlOpen), which a static file cannot serve: the linker warns of the name
// alone. The static build is linked with --wrap=dlopen, which makes this function of it.
extern "C" {
void* __wrap_dlopen(const char* file, int mode);
void* __wrap_dlopen(const char* /*file*/, int /*mode*/) { return nullptr; }
}
