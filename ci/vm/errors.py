# SPDX-License-Identifier: Apache-2.0
"""The one kind of error of this folder: one line, what, on which object, why, what to try."""

USAGE, INFRASTRUCTURE, LACKS_MEANS = 2, 3, 77


class VmError(Exception):
    """`code`: 2 the user can mend it, 3 the machine or the guest failed, 77 means are lacking."""

    def __init__(self, text, code=USAGE):
        super().__init__(text)
        self.code = code
