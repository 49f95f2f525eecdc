#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Without a guest: what the judgements accept and refuse, what is read from kernels, modules and
consoles, and the one line of each error."""

import io
import json
import os
import struct
import sys
import tempfile
import unittest
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from unittest import mock

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import accel  # noqa: E402
import capture_policy  # noqa: E402
import cpio  # noqa: E402
import guest  # noqa: E402
import kernel  # noqa: E402
import kernel_module  # noqa: E402
import kernel_package  # noqa: E402
import kmod_judge as judge  # noqa: E402
import options  # noqa: E402
import qemu  # noqa: E402
import zoo_judge  # noqa: E402
from capture_policy import Checks  # noqa: E402
from errors import VmError  # noqa: E402
from kmod_evidence import tasks_of_stacks, tasks_of_sysrq  # noqa: E402


class InFolder(unittest.TestCase):
    def setUp(self):
        made = tempfile.TemporaryDirectory(prefix="stallproof-vm-")
        self.addCleanup(made.cleanup)
        self.folder = made.name

    def write(self, name, content):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as stream:
            stream.write(content if isinstance(content, bytes) else content.encode())
        return path

    def refused(self, part, call, *words):
        with self.assertRaises(VmError) as caught:
            call(*words)
        self.assertIn(part, str(caught.exception))
        self.assertNotIn("\n", str(caught.exception))


def as_stack(tid, comm, state, frames):
    return f"== {tid} {comm} {state} (x)\n" + "".join(f"[<0>] {f}+0x1/0x2\n" for f in frames)


def as_sysrq(tid, comm, frames):
    head = f"[   15.91] task:{comm}    state:D stack:0     pid:{tid}   ppid:2      flags:0x4\n"
    return head + "[   15.91] Call Trace:\n[   15.91]  <TASK>\n[   15.91]  ? stale+0x1/0x2\n" + \
        "".join(f"[   15.91]  {each}+0x1/0x2 [ffs_stub]\n" for each in frames)


class Stalls(InFolder):
    def setUp(self):
        super().setUp()
        self.stacks = [(11, "dataio_srv/0", "S", judge.IDLE),
                       (12, "dataio_srv/1", "D", judge.SERVICE),
                       (13, "java-fault", "D", judge.HOLDER),
                       (14, "java-mprotect", "D", judge.WRITER)]
        self.blocked = [(12, "dataio_srv/1", judge.SERVICE_LOCK), (13, "java-fault", judge.HOLDER),
                        (14, "java-mprotect", judge.WRITER_LOCK)]
        self.files = {"standstill": "stalled 120\n", "counters": "page_reads 3\nhazards 2\n",
                      "end": "gone 0\nrmmod 0\n"}

    def judged(self):
        self.files.setdefault("stacks", "".join(as_stack(*each) for each in self.stacks))
        self.files.setdefault("sysrq-w", "".join(as_sysrq(*each) for each in self.blocked))
        for name, text in self.files.items():
            self.write(name, text)
        return judge.stall(self.folder)

    def test_the_circle_is_accepted(self):
        self.assertEqual(self.judged(), [])

    def test_one_party_missing_is_refused(self):
        for lost in (1, 2, 3):
            with self.subTest(lost=lost):
                self.files.pop("stacks", None)
                kept, self.stacks = self.stacks, self.stacks[:lost] + self.stacks[lost + 1:]
                self.assertTrue(self.judged())
                self.stacks = kept

    def test_a_frame_missing_is_refused(self):
        self.stacks[1] = (12, "dataio_srv/1", "D", [f for f in judge.SERVICE if f != "dataio_ack"])
        self.assertTrue(self.judged())

    def test_a_frame_too_many_is_refused(self):
        self.stacks[1] = (12, "dataio_srv/1", "D", ["lock_client", *judge.SERVICE])
        self.assertTrue(self.judged())

    def test_a_load_that_goes_on_is_refused(self):
        self.files["standstill"] = "moving 8000\n"
        self.assertIn("no stall", self.judged()[0])

    def test_a_module_that_stays_is_refused(self):
        self.files["end"] = "gone 0\nrmmod 1\n"
        self.assertEqual(self.judged(), ["rmmod 1"])

    def test_no_evidence_is_refused(self):
        self.assertTrue(judge.stall(os.path.join(self.folder, "nothing")))


class Fixes(InFolder):
    def judged(self, pages, hazards=5, client=0):
        for second, count in enumerate(pages, 1):
            self.write(f"counters-{second}", f"page_reads {count}\ndirect_reads {second}\n"
                       f"hazards {hazards}\nfailed 0\n")
        self.write("end", f"client {client}\nrmmod 0\n")
        return judge.fix(self.folder, len(pages))

    def test_work_in_every_second_is_accepted(self):
        self.assertEqual(self.judged([10, 20, 30]), [])

    def test_one_idle_second_is_refused(self):
        self.assertEqual(self.judged([10, 10, 30]), ["no page_reads in second 2"])

    def test_a_hazard_never_entered_is_refused(self):
        self.assertEqual(self.judged([1, 2], hazards=0), ["no hazard was entered"])

    def test_a_client_that_failed_is_refused(self):
        self.assertEqual(self.judged([1, 2], client=3), ["client 3"])


class Holds(InFolder):
    def judged(self, **changed):
        frames = ["ffs_wait_mutex", "ffs_ioctl"]
        files = {"progress": "held 0\nbefore 5\nwhile 5\nafter 9\n",
                 "state": "held by 77 for at most 60 s\n", "end": "gone 0\nrmmod 0\n",
                 "stacks": as_stack(9, "java-direct", "D", frames),
                 "sysrq-w": as_sysrq(9, "java-direct", frames), **changed}
        for name, text in files.items():
            self.write(name, text)
        return judge.hold(self.folder, "mutex")

    def test_a_held_lock_is_accepted(self):
        self.assertEqual(self.judged(), [])

    def test_what_does_not_block_is_refused(self):
        self.assertTrue(self.judged(progress="held 0\nbefore 5\nwhile 6\nafter 9\n"))

    def test_what_does_not_end_is_refused(self):
        self.assertTrue(self.judged(progress="held 0\nbefore 5\nwhile 5\nafter 5\n"))

    def test_another_lock_is_refused(self):
        self.assertTrue(self.judged(stacks=as_stack(9, "java-direct", "D", ["ffs_wait_rwsem"])))


class Zoo(InFolder):
    def left(self, stalls, code=0, behind=(), after="a\nb\n"):
        self.write("verdict", json.dumps({
            "stalls": [{"class": each, "signature": each + ":x"} for each in stalls],
            "left_behind": list(behind), "reasons": ["why"]}))
        self.write("end", f"code {code}\n")
        self.write("before", "a\nb\n")
        self.write("after", after)

    def judged(self, wanted="device_stuck", quiet=False):
        return "; ".join(zoo_judge.case(self.folder, wanted, quiet))

    def test_a_stall_as_promised(self):
        self.left(["device_stuck"])
        self.assertEqual(self.judged(), "")
        self.assertEqual(zoo_judge.told(self.folder), "device_stuck:x")
        self.assertIn("told as device_stuck, not journal_stuck", self.judged("journal_stuck"))
        self.assertIn("stalled as device_stuck", self.judged(quiet=True))

    def test_quiet(self):
        self.left([])
        self.assertEqual(self.judged(quiet=True), "")
        self.assertIn("told as nothing", self.judged())

    def test_what_is_left_or_gone_is_named(self):
        self.left(["device_stuck"], 3, ["a worker"], "a\ndm-0\n")
        self.assertEqual(self.judged(), "exit 3: why; left behind: a worker; left: dm-0; gone: b")

    def test_no_verdict_tells_what_was_said(self):
        self.write("stderr", "stallproof: broken\n")
        self.write("end", "code 2\n")
        self.assertIn("exit 2, no verdict: stallproof: broken", self.judged())

    def test_refusal_is_one_line_with_its_words(self):
        self.left([], 77)
        self.write("stderr", "dm-suspended needs device-mapper (modprobe dm_mod, ci/vm/run)\n")
        self.assertEqual(zoo_judge.refusal(self.folder, ("dm_mod",)), [])
        self.assertNotEqual(zoo_judge.refusal(self.folder, ("nbd",)), [])
        self.write("end", "code 3\n")
        self.assertIn("exit 3", zoo_judge.refusal(self.folder, ("dm_mod",)))

    def test_killed_must_have_stood_and_be_undone(self):
        self.left([])
        self.write("stderr", "+ 2 s  STALL: no I/O\n")
        self.write("end", "held 137\ncode 0\n")
        self.write("next", "stallproof: removed /run/stallproof/x\n")
        self.assertEqual(zoo_judge.killed(self.folder), [])
        self.write("next", "pass\n")
        self.assertIn("does not say", "; ".join(zoo_judge.killed(self.folder)))
        self.write("end", "held 0\ncode 0\n")
        self.assertIn("not killed", "; ".join(zoo_judge.killed(self.folder)))


class Texts(unittest.TestCase):
    def test_doubtful_frames_and_copies_are_no_frames(self):
        task = tasks_of_sysrq(as_sysrq(5, "x", ["down_read", "f.constprop.0"]))[0]
        self.assertEqual((task.tid, task.state, task.frames), (5, "D", ["down_read", "f"]))

    def test_names_with_spaces_are_read(self):
        self.assertEqual(tasks_of_stacks("== 7 a b S (sleeping)\n")[0].comm, "a b")

    def test_an_ordered_soft_lockup_is_no_complaint(self):
        self.assertEqual(judge.kernel_log("watchdog: BUG: soft lockup - CPU#1 stuck for 4s!"), [])
        self.assertTrue(judge.kernel_log("BUG: kernel NULL pointer dereference"))

    def test_one_word_is_shell_and_several_are_a_command(self):
        self.assertEqual(options.script_of(["a && b"]), "a && b\n")
        self.assertEqual(options.script_of(["echo", "a b"]), "echo 'a b'\n")

    def test_an_own_crashkernel_word_is_kept(self):
        given = guest.Options(kdump="-d 31", words=["crashkernel=256M"])
        self.assertEqual(guest.command_line("m", given), ["sp.mark=m", "crashkernel=256M"])
        self.assertIn(guest.CRASH_MEMORY, guest.command_line("m", guest.Options(kdump="-d 31")))

    def test_commas_in_a_path_do_not_end_an_option(self):
        self.assertEqual(qemu.quoted("/a,b"), "/a,,b")


class Files(InFolder):
    def test_an_archive_has_parents_and_an_end(self):
        archive = cpio.Archive()
        archive.file("lib/x86/a.so", b"abc")
        self.assertEqual(list(archive.entries), ["lib", "lib/x86", "lib/x86/a.so"])
        self.assertEqual(len(cpio.record(1, "a", 0o100644, b"abc", (0, 0))) % 4, 0)

    def test_a_release_is_read_from_the_image(self):
        head = bytearray(0x400)
        head[0x202:0x206] = b"HdrS"
        head[0x20E:0x210] = struct.pack("<H", 0x100)
        head[0x300:0x30F] = b"6.1.0-9-x (me) "
        self.assertEqual(kernel.release_of_image(self.write("vmlinuz", bytes(head))), "6.1.0-9-x")

    def test_what_is_no_kernel_is_refused(self):
        self.refused("no x86 boot image", kernel.supplied, self.write("a", "not a kernel"))
        self.refused("No such file", kernel.supplied, os.path.join(self.folder, "none"))

    def test_modules_of_another_kernel_are_refused(self):
        head = bytearray(0x400)
        head[0x202:0x206] = b"HdrS"
        head[0x20E:0x210] = struct.pack("<H", 0x100)
        head[0x300:0x306] = b"6.1.0 "
        image = self.write("vmlinuz", bytes(head))
        self.refused("give the modules of this kernel", kernel.supplied, image, self.folder)

    def test_a_module_of_another_kernel_is_refused(self):
        path = self.write("a.ko", b"x\0vermagic=5.10.0 SMP mod_unload\0")
        self.assertEqual(kernel_module.release_of_module(path), "5.10.0")
        self.refused("was built for 5.10.0", kernel_module.check_module, path,
                     kernel.Kernel("6.1.0", "vmlinuz"))
        self.refused("no kernel module", kernel_module.release_of_module, self.write("b", "b"))

    def test_headers_of_another_kernel_are_refused(self):
        os.makedirs(os.path.join(self.folder, "include/generated"))
        self.write("include/generated/utsrelease.h", '#define UTS_RELEASE "6.2.0"\n')
        self.refused("would not load", kernel_module.check_headers,
                     kernel.Kernel("6.1.0", "vmlinuz", None, self.folder))
        self.refused("no headers of 6.1.0", kernel_module.check_headers,
                     kernel.Kernel("6.1.0", "vmlinuz"))

    def test_without_an_archive_and_a_cache_it_is_said_what_to_do(self):
        with mock.patch.dict(os.environ, {"STALLPROOF_VM_CACHE": self.folder}), \
                mock.patch.object(kernel_package, "field", lambda *_: None):
            self.refused("run apt-get update", kernel_package.current)

    def test_a_package_that_is_gone_is_named(self):
        self.refused("cannot download linux-image-0.0.0", kernel_package.download,
                     ["linux-image-0.0.0"], self.folder)


class Guests(InFolder):
    """A shell in the place of QEMU."""

    def machine(self, script):
        console = os.path.join(self.folder, "console")
        line = ["sh", "-c", script.replace("CONSOLE", console)]
        return qemu.Machine(line, console, "MARK")

    def test_marks_are_read(self):
        with self.machine("printf 'x\\nMARK up\\n\\nMARK rc 7\\n' > CONSOLE") as machine:
            self.assertEqual(machine.wait(5, 5), {"up": "", "rc": "7"})

    def test_a_guest_that_never_comes_up_shows_its_console(self):
        with self.machine("echo no root > CONSOLE; exec sleep 9") as machine:
            with self.assertRaises(VmError) as caught:
                machine.wait(0.3, 5)
        self.assertIn("did not come up", str(caught.exception))
        self.assertIn("| no root", str(caught.exception))

    def test_a_guest_that_hangs_is_ended(self):
        with self.machine("echo MARK up > CONSOLE; exec sleep 9") as machine:
            with self.assertRaises(VmError) as caught:
                machine.wait(0.2, 0.4)
        self.assertIn("was not done after", str(caught.exception))
        self.assertIsNotNone(machine.process.poll())

    def test_what_qemu_says_is_told(self):
        with self.machine("echo no such accelerator >&2; exit 1") as machine:
            with self.assertRaises(VmError) as caught:
                machine.wait(5, 5)
        self.assertIn("no such accelerator", str(caught.exception))


class Ends(InFolder):
    """What is said of a guest by the marks that it left."""

    def said(self, marks, armed):
        with qemu.Machine(["true"], os.path.join(self.folder, "console"), "MARK") as machine:
            self.write("console", "Can't write the dump file. No space left on device\n")
            with self.assertRaises(VmError) as caught:
                guest.judge(marks, machine, self.folder, armed)
        return str(caught.exception)

    def test_a_crash_kernel_that_dies_is_told_from_a_panic_without_one(self):
        self.assertIn("left no vmcore", self.said({"up": ""}, True))
        self.assertIn("without a word", self.said({"up": ""}, False))

    def test_a_crash_kernel_that_cannot_be_loaded_is_told_with_a_way_out(self):
        self.assertIn("crashkernel=256M", self.said({"up": "", "lacks": "crash-kernel"}, True))

    def test_a_dump_that_failed_is_told_with_its_reason(self):
        told = self.said({"up": "", "captured": "1"}, True)
        self.assertIn("makedumpfile ended with 1", told)
        self.assertIn("vmcore.part", told)
        self.assertIn("No space left", told)


class Acceleration(InFolder):
    """Another program in the place of QEMU, whose KVM aborts, hangs or works."""

    def test_without_the_device_nothing_is_started(self):
        with mock.patch.object(accel.os, "access", lambda *_: False), \
                mock.patch.object(accel, "probe", mock.Mock(side_effect=AssertionError)):
            self.assertEqual(accel.choose(kernel.Kernel("6.1.0", "vmlinuz")), "tcg")

    def chosen(self, script):
        path = self.write("qemu", "#!/bin/sh\n" + script)
        os.chmod(path, 0o755)
        changes = (mock.patch.dict(os.environ, {"STALLPROOF_VM_CACHE": self.folder}),
                   mock.patch.object(qemu, "program", lambda: path),
                   mock.patch.object(accel.os, "access", lambda *_: True),
                   mock.patch.object(accel.initramfs, "build", lambda *_: None),
                   mock.patch.object(accel, "PROBE_SECONDS", 0.4),
                   redirect_stderr(io.StringIO()))
        with ExitStack() as stack:
            for change in changes:
                stack.enter_context(change)
            first = accel.choose(kernel.Kernel("6.1.0", "vmlinuz"))
            return first, accel.remembered()["why"], accel.choose(kernel.Kernel("x", "y"), "kvm")

    def test_kvm_that_hangs_is_not_used(self):
        first, why, asked = self.chosen("[ $1 = --version ] || exec sleep 9\n")
        self.assertEqual((first, asked), ("tcg", "kvm"))
        self.assertIn("did not come up", why)

    def test_kvm_that_aborts_is_not_used(self):
        first, why, _ = self.chosen("echo failed to set MSR >&2; exit 134\n")
        self.assertEqual(first, "tcg")
        self.assertIn("failed to set MSR", why)

    def test_kvm_that_reaches_the_mark_is_used(self):
        console = 'c=$(echo "$*" | sed "s/.*id=console,path=\\([^ ]*\\).*/\\1/")'
        first, why, _ = self.chosen(f'{console}; [ $1 = --version ] || echo "PROBE up" > "$c"\n')
        self.assertEqual((first, why), ("kvm", ""))


class CapturePolicy(InFolder):
    def test_no_evidence_proves_nothing(self):
        for part, judge_part in capture_policy.JUDGES.items():
            checks = Checks("selftest", 5)
            with redirect_stdout(io.StringIO()):
                judge_part(checks, capture_policy.Part(self.folder),
                           mock.Mock(code=1, dumped=None, tail=""))
            self.assertEqual(checks.passed, 0, part)
            self.assertGreater(len(checks.failures), 4, part)


if __name__ == "__main__":
    unittest.main()
