# SPDX-License-Identifier: Apache-2.0
"""One rule per file. A rule has NAME, check(tree) yielding Findings, and GOOD and BAD example trees
({path: text}) that selftest.py runs it on."""

from . import (architecture, banned_calls, catalogue, changelog, dead_files, file_length,
               function_length, include_direction, leftovers, licence, line_length, machine_paths,
               pragma_once, proc_files, type_names)

ALL = (architecture, banned_calls, catalogue, changelog, dead_files, file_length, function_length,
       include_direction, leftovers, licence, line_length, machine_paths, pragma_once, proc_files,
       type_names)
