# SPDX-License-Identifier: Apache-2.0
"""A mount namespace of its own, in which results and target lie where they do on a user's machine,
so that no picture shows a place of ours; all of it is gone with its last process."""

import os

from program import BINARY

PLACES = """
mount -t tmpfs none /var/lib
mount -t tmpfs none /mnt
truncate -s 2G /mnt/image
mkfs.ext4 -q /mnt/image
mkdir /mnt/data
mount -o loop /mnt/image /mnt/data
"""
LATEST = "/var/lib/stallproof/runs/latest"


def words(command, beside="", afterwards=""):
    """What to run: `command` of stallproof, with shell lines that run beside it and after it."""
    # Ctrl-C is for stallproof; the shell stays to clean up.
    begun = f"( {beside}\n) &" if beside else ""
    script = "\n".join(("set -e", "trap : INT", PLACES, begun, "set +e", '"$@"', "code=$?", "wait",
                        afterwards, "exit $code"))
    return ["unshare", "-m", "sh", "-c", script, "sh", BINARY, *command]


def environment(known=None):
    """Without a state directory of the one who makes the pictures."""
    return {key: value for key, value in (known or os.environ).items()
            if key != "STALLPROOF_STATE_DIR"}
