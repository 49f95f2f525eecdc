# SPDX-License-Identifier: Apache-2.0
"""Makes a dump of the reported stall: kmod-stub's module and its load in a guest, which is panicked
into kdump while the stall stands. Beside the dump: what the guest itself saw just before."""

import os
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.append(os.path.join(TOP, "ci/vm"))

import kernel_module  # noqa: E402
import kernel_package  # noqa: E402
import kmod  # noqa: E402
import qemu  # noqa: E402
from errors import LACKS_MEANS, VmError  # noqa: E402

LIMIT_S = 150

# Stands when the service has answered nothing for two seconds; 60 s at most.
STALL = r"""
insmod /bin/ffs_stub.ko i_accept_hangs=1 || exit 1
stall_client 16 1 8 600 2>/dev/null &
last=-1 same=0
for _ in $(seq 120); do
  sleep 0.5
  now=$(cat /sys/kernel/debug/ffs_stub/counters)
  if [ "$now" = "$last" ]; then same=$((same + 1)); else same=0 last=$now; fi
  [ $same -lt 4 ] || break
done
[ $same -ge 4 ] || exit 2
"""
GUEST = STALL + r"""
cat /proc/kallsyms >/mnt/kallsyms.txt
cp /sys/kernel/debug/ffs_stub/jobs /mnt/jobs.txt
for status in /proc/[0-9]*/status; do
  echo "${status} $(grep -E '^(Name|VmRSS|VmSize):' $status | tr -s '\t\n' ' ')"
done >/mnt/sizes.txt 2>/dev/null
for task in /proc/[0-9]*/task/[0-9]*; do
  echo "== ${task##*/} $(cat $task/comm) $(grep ^State $task/status)"
  cat $task/stack
done >/mnt/stacks.txt 2>/dev/null
true
"""


def make(checks, folder, package, options="-d 31"):
    """The path of the dump, or None; what makes it skip or fail is counted."""
    try:
        qemu.program()
        kernel = kernel_package.current(package)
        module, _ = kernel_module.build(kernel)
        client = kmod.client(folder)
    except VmError as error:
        if error.code != LACKS_MEANS:
            raise
        checks.skip("everything", str(error))
        return None
    shutil.copy(module, folder)
    done = subprocess.run(
        [os.path.join(TOP, "ci/vm/crash_dump"), "--share", folder, "--package", package,
         "--ko", module, "--program", client, "--makedumpfile", options,
         "--deadline", str(LIMIT_S), "--", GUEST],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT_S + 30, check=False)
    dump = os.path.join(folder, "vmcore")
    made = done.returncode == 0 and os.path.exists(dump)
    checks.check("a guest in the reported stall was panicked into kdump", made,
                 f"exit {done.returncode}: {done.stderr[-300:]}")
    return dump if made else None
