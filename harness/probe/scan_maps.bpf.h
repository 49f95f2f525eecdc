/* SPDX-License-Identifier: GPL-2.0-only */
/* Sets shared by the passes of one scan. An entry counts only while its value is the present
 * generation, so nothing has to be emptied between scans; LRU maps forget old ones by themselves.
 */
#ifndef HARNESS_PROBE_SCAN_MAPS_BPF_H
#define HARNESS_PROBE_SCAN_MAPS_BPF_H

// The first declares the types of the others.
// clang-format off
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
// clang-format on

struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 16384);
  __type(key, __u32);
  __type(value, __u64);
} request_tids SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 4096);
  __type(key, __u32);
  __type(value, __u64);
} server_tgids SEC(".maps");

/* What `seen` knows of an object; of a FUSE connection, also with the server's tgid as detail. */
enum SeenDetail { SEEN_LOCK, SEEN_OWNER, SEEN_MM };
struct SeenKey {
  __u64 object;
  __u64 detail;
};

struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 16384);
  __type(key, struct SeenKey);
  __type(value, __u64);
} seen SEC(".maps");

/* Set by user space before each scan. */
__u64 generation;
/* How often something was marked in this scan: 0 saves looking. */
__u32 marks;
/* ScanFeature bits, for user space. */
__u32 features;

static __always_inline int marked(void* map, const void* key) {
  if (!marks) return 0;
  const __u64* value = bpf_map_lookup_elem(map, key);
  return value && *value == generation;
}

static __always_inline void mark(void* map, const void* key) {
  const __u64 value = generation;
  bpf_map_update_elem(map, key, &value, BPF_ANY);
  marks++;
}

#endif
