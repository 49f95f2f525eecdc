// SPDX-License-Identifier: GPL-2.0-only
/* Module parameters, start and end. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/string.h>
#include "ffs_gate.h"
#include "ffs_stub.h"

enum ffs_fix ffs_fix;
loff_t ffs_file_size;

static const char *const fix_name[] = {
	[FFS_FIX_NONE] = "none",
	[FFS_FIX_PIN_IN_SUBMITTER] = "pin-in-submitter",
	[FFS_FIX_FAULT_RETRY] = "fault-retry",
	[FFS_FIX_SEPARATE_POOL] = "separate-pool",
	[FFS_FIX_TRYLOCK] = "trylock",
};

static const char *const queues_name[] = { "segment", "shared" };

static char *fix = "none";
module_param(fix, charp, 0444);
MODULE_PARM_DESC(fix, "none, pin-in-submitter, fault-retry, separate-pool or trylock");

static char *queues = "segment";
module_param(queues, charp, 0444);
MODULE_PARM_DESC(queues, "segment: one queue per thread, by file segment; shared: one for all");

static unsigned int threads = 4;
module_param(threads, uint, 0444);
MODULE_PARM_DESC(threads, "service threads, 1 to 64");

static unsigned int segment_kib = 1024;
module_param(segment_kib, uint, 0444);
MODULE_PARM_DESC(segment_kib, "size of a segment, 4 to 1048576 KiB");

static unsigned int file_mib = 64;
module_param(file_mib, uint, 0444);
MODULE_PARM_DESC(file_mib, "size of the file, 1 to 1048576 MiB");

static bool i_accept_hangs;
module_param(i_accept_hangs, bool, 0444);
MODULE_PARM_DESC(i_accept_hangs, "must be 1: this module makes tasks hang, on purpose");

static int check_parameters(void)
{
	int chosen = match_string(fix_name, ARRAY_SIZE(fix_name), fix);

	if (chosen < 0) {
		pr_err("fix=%s is unknown; see modinfo -p ffs_stub\n", fix);
		return -EINVAL;
	}
	ffs_fix = chosen;
	if (match_string(queues_name, ARRAY_SIZE(queues_name), queues) < 0) {
		pr_err("queues=%s is unknown; it is segment or shared\n", queues);
		return -EINVAL;
	}
	if (threads < 1 || threads > 64 || segment_kib < 4 || segment_kib > 1048576 ||
	    file_mib < 1 || file_mib > 1048576) {
		pr_err("threads, segment_kib or file_mib is out of range; see modinfo ffs_stub\n");
		return -EINVAL;
	}
	ffs_file_size = (loff_t)file_mib << 20;
	return 0;
}

static int __init ffs_stub_init(void)
{
	int error;

	if (!i_accept_hangs) {
		pr_err("makes tasks hang on purpose; if wanted, load it with i_accept_hangs=1\n");
		return -EPERM;
	}
	error = check_parameters();
	if (error)
		return error;
	error = ofs_tpools_start(threads, !strcmp(queues, "segment"), segment_kib << 10);
	if (error)
		return error;
	error = ffs_file_register();
	if (error) {
		ofs_tpools_stop();
		return error;
	}
	ffs_debugfs_create();
	return 0;
}

/* No file is open, or the module would be in use; so no client waits. */
static void __exit ffs_stub_exit(void)
{
	ffs_debugfs_remove();
	ffs_release_all();
	ffs_file_unregister();
	ofs_tpools_stop();
}

module_init(ffs_stub_init);
module_exit(ffs_stub_exit);
MODULE_DESCRIPTION(
	"The reported storage stall, on purpose: a service that waits for its clients' mmap_lock");
MODULE_LICENSE("GPL");
MODULE_VERSION("1.0");
