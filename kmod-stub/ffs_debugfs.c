// SPDX-License-Identifier: GPL-2.0-only
/* /sys/kernel/debug/ffs_stub: counters, jobs, abort, hold/KIND. README.md describes each file. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>
#include "ffs_gate.h"
#include "ffs_stub.h"

static struct dentry *root;

static int counters_show(struct seq_file *out, void *unused)
{
	seq_printf(out, "page_reads %lld\n", (s64)atomic64_read(&ffs_counters.page_reads));
	seq_printf(out, "direct_reads %lld\n", (s64)atomic64_read(&ffs_counters.direct_reads));
	seq_printf(out, "hazards %lld\n", (s64)atomic64_read(&ffs_counters.hazards));
	seq_printf(out, "self_copies %lld\n", (s64)atomic64_read(&ffs_counters.self_copies));
	seq_printf(out, "failed %lld\n", (s64)atomic64_read(&ffs_counters.failed));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counters);

static int jobs_show(struct seq_file *out, void *unused)
{
	ofs_show_jobs(out);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(jobs);

/* One line of what was written; the caller's text is short or wrong. */
static int read_line(const char __user *from, size_t length, char *line, size_t room)
{
	if (length >= room)
		return -EINVAL;
	if (copy_from_user(line, from, length))
		return -EFAULT;
	line[length] = '\0';
	return 0;
}

static int abort_show(struct seq_file *out, void *unused)
{
	seq_printf(out, "%d\n", ofs_is_aborted());
	return 0;
}

static int abort_open(struct inode *inode, struct file *file)
{
	return single_open(file, abort_show, NULL);
}

static ssize_t abort_write(struct file *file, const char __user *from, size_t length, loff_t *at)
{
	char line[16];
	bool wanted;
	int error = read_line(from, length, line, sizeof(line));

	if (!error)
		error = kstrtobool(strim(line), &wanted);
	if (error)
		return error;
	ofs_abort(wanted);
	return length;
}

static const struct file_operations abort_fops = {
	.owner = THIS_MODULE,
	.open = abort_open,
	.read = seq_read,
	.write = abort_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static int hold_show(struct seq_file *out, void *unused)
{
	ffs_show_hold(out, (enum ffs_kind)(unsigned long)out->private);
	return 0;
}

static int hold_open(struct inode *inode, struct file *file)
{
	return single_open(file, hold_show, inode->i_private);
}

/* "SECONDS", for the mmap kinds "PID [SECONDS]"; "0" releases. */
static ssize_t hold_write(struct file *file, const char __user *from, size_t length, loff_t *at)
{
	enum ffs_kind kind = (unsigned long)((struct seq_file *)file->private_data)->private;
	unsigned int first = 0, second = 0;
	char line[32], rest;
	int error = read_line(from, length, line, sizeof(line));
	int words;

	if (error)
		return error;
	words = sscanf(strim(line), "%u %u %c", &first, &second, &rest);
	if (words < 1 || words > (kind <= FFS_MMAP_WRITE ? 2 : 1))
		return -EINVAL;
	if (first == 0)
		ffs_release(kind);
	else if (kind <= FFS_MMAP_WRITE)
		error = ffs_hold(kind, first, second);
	else
		error = ffs_hold(kind, 0, first);
	return error ? error : length;
}

static const struct file_operations hold_fops = {
	.owner = THIS_MODULE,
	.open = hold_open,
	.read = seq_read,
	.write = hold_write,
	.llseek = seq_lseek,
	.release = single_release,
};

/* A kernel without debugfs has no files; the module works without them. */
void ffs_debugfs_create(void)
{
	struct dentry *folder;
	unsigned long kind;

	root = debugfs_create_dir("ffs_stub", NULL);
	debugfs_create_file("counters", 0444, root, NULL, &counters_fops);
	debugfs_create_file("jobs", 0444, root, NULL, &jobs_fops);
	debugfs_create_file("abort", 0644, root, NULL, &abort_fops);
	folder = debugfs_create_dir("hold", root);
	for (kind = 0; kind < FFS_KINDS; kind++)
		debugfs_create_file(ffs_kind_name[kind], 0644, folder, (void *)kind, &hold_fops);
}

void ffs_debugfs_remove(void)
{
	debugfs_remove_recursive(root);
}
