# SPDX-License-Identifier: Apache-2.0
"""The table of SECURITY.md, and what /proc says of a thread, as the same kind of thing. Pure."""

import re

# include/uapi/linux/capability.h, 0 to 40, 6.12.
NAMES = ("chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap "
         "linux_immutable net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner "
         "sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin sys_boot sys_nice "
         "sys_resource sys_time sys_tty_config mknod lease audit_write audit_control setfcap "
         "mac_override mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf "
         "checkpoint_restore").split()
ROW = re.compile(r"^\| (?P<who>[^|]+) \| (?P<keeps>[a-z_ ]+) \| (?P<no_new>yes|no) \| "
                 r"(?P<seccomp>files|no) \|$", re.M)


class Rights:
    """`keeps`: a set of names, None for all."""

    def __init__(self, keeps, no_new, seccomp):
        self.keeps, self.no_new, self.seccomp = keeps, no_new, seccomp


def rights_by_name(text):
    """{role, thread or command: Rights}; ValueError for a capability that there is not."""
    found = {}
    for row in ROW.finditer(text):
        words = row["keeps"].split()
        keeps = None if words == ["all"] else set(words)
        if keeps and keeps - set(NAMES):
            raise ValueError(f"no such capability: {', '.join(sorted(keeps - set(NAMES)))}")
        rights = Rights(keeps, row["no_new"] == "yes", row["seccomp"] == "files")
        for name in re.findall(r"`([\w-]+)`", row["who"]) or [row["who"]]:
            found[name] = rights
    return found


def bits_of(names):
    return sum(1 << NAMES.index(name) for name in names)


def fields_of(status):
    """Of the text of /proc/PID/status."""
    return dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)


def differences(status, rights, ours):
    """Sentences about a thread that has not the rights of the table. `ours`: CapEff of this very
    process, which is the most that a thread of its child can have."""
    fields = fields_of(status)
    effective, bounding = int(fields["CapEff"], 16), int(fields["CapBnd"], 16)
    wanted = ours if rights.keeps is None else bits_of(rights.keeps) & ours
    found = []
    if effective != wanted:
        found.append(f"has {named(effective)}, not {named(wanted)}")
    if int(fields["CapPrm"], 16) != wanted:
        found.append("may take back what it has given up")
    if rights.keeps is not None and bounding & ~bits_of(rights.keeps):
        found.append(f"could gain {named(bounding & ~bits_of(rights.keeps))}")
    if (fields["NoNewPrivs"] == "1") != rights.no_new:
        found.append(f"NoNewPrivs is {fields['NoNewPrivs']}")
    if (fields["Seccomp"] == "2") != rights.seccomp:
        found.append(f"Seccomp is {fields['Seccomp']}")
    return found


def named(bits):
    return " ".join(name for number, name in enumerate(NAMES) if bits >> number & 1) or "nothing"
