# SPDX-License-Identifier: Apache-2.0
"""A Slurm of one's own on this machine: munged, slurmctld and some slurmd on loopback, all their
files in one directory, each node in a mount namespace with a boot id and a local disk of its own. A
node dies as a machine does: everything in its namespace is killed at once. All is ended by pid."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
import uuid

from program import BINARY, TOP, read_text
from prometheus import free_ports

GLUE = os.path.join(TOP, "ci/nightly/slurm")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "scontrol", "unshare")
CONFIG = """\
ClusterName=lab
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ctl_port}
SlurmUser=root
SlurmdUser=root
AuthInfo=socket={base}/munge.sock
StateSaveLocation={base}/state
SlurmdSpoolDir={base}/spool.%n
SlurmctldPidFile={base}/ctl.pid
SlurmdPidFile={base}/%n.pid
SlurmctldLogFile={base}/ctl.log
SlurmdLogFile={base}/%n.log
TaskPlugin=task/none
MpiDefault=none
MailProg=/bin/true
SelectType=select/cons_tres
SlurmdParameters=config_overrides
{fragment}
{nodes}
PartitionName=p Nodes={names} Default=YES State=UP
"""
# Of what slurm.conf.fragment tells a cluster: other places and shorter times, and a tracker of
# processes that needs no cgroups of this machine.
HERE = {"UnkillableStepProgram": "{base}/hooks/unkillable", "Prolog": "{base}/hooks/prolog",
        "Epilog": "{base}/hooks/epilog", "HealthCheckProgram": "{base}/hooks/health",
        "JobCompLoc": "{base}/jobcomp.txt", "RebootProgram": "/bin/false",
        "ProctrackType": "proctrack/linuxproc", "SlurmdTimeout": "10", "KillWait": "5",
        "UnkillableStepTimeout": "10", "HealthCheckInterval": "4"}
OF_THE_LAB = ("NodeName", "PartitionName")
HOOK = """\
#!/bin/sh
export STALLPROOF={binary} STALLPROOF_STATE_DIR={base}/local STALLPROOF_FREE_MIB=64
export SLURM_CONF={base}/slurm.conf PATH={path}
export STALLPROOF_HEALTH_FILE={base}/health.$SLURMD_NODENAME
[ ! -r {base}/slurm.env ] || . {base}/slurm.env
exec {glue}/{name} "$@"
"""
# Mounts are the node's own; a new boot id, and a /run without journals, is what a reboot leaves.
BOOT = ('mount -t tmpfs tmpfs /run/stallproof && '
        'mount --bind "$1/boot_id" /proc/sys/kernel/random/boot_id && '
        'mount --bind "$1/local" "$2" && exec slurmd -D {boot} -N "$3"')


def lacking_programs():
    """What is not installed, or None."""
    search = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    lacking = [name for name in PROGRAMS if shutil.which(name, path=search) is None]
    return f"{lacking[0]} is not installed (packages slurm-wlm, munge)" if lacking else None


def fragment(base):
    """The settings of slurm.conf.fragment, as this lab needs them."""
    lines = []
    for line in read_text(f"{GLUE}/slurm.conf.fragment").splitlines():
        setting = line.split("#")[0].strip()
        name = setting.split("=")[0]
        if setting and name not in OF_THE_LAB:
            lines.append(f"{name}={HERE[name]}".format(base=base) if name in HERE else setting)
    return "\n".join(lines)


def mount_namespace(pid):
    try:
        return os.readlink(f"/proc/{pid}/ns/mnt")
    except OSError:
        return None


class Cluster:
    def __init__(self, base, names):
        self.base, self.names = base, names
        self.daemons, self.nodes = [], {}
        self.environment = {**os.environ, "SLURM_CONF": f"{base}/slurm.conf",
                            "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin",
                            "STALLPROOF": BINARY, "STALLPROOF_STATE_DIR": f"{base}/local"}

    def start(self):
        self._write_files()
        os.makedirs("/run/stallproof", exist_ok=True)
        self._daemon(["munged", "--foreground", "--force", f"--key-file={self.base}/munge.key",
                      f"--socket={self.base}/munge.sock", f"--pid-file={self.base}/munged.pid",
                      f"--log-file={self.base}/munged.log", f"--seed-file={self.base}/seed"],
                     "munged")
        self._wait(lambda: os.path.exists(f"{self.base}/munge.sock"), 10)
        self._daemon(["slurmctld", "-D"], "slurmctld")
        for name in self.names:
            self.boot(name)

    def boot(self, name, again=False):
        """Starts the node; after it was killed: as rebooted, with another boot id."""
        with open(f"{self.base}/{name}/boot_id", "w", encoding="ascii") as stream:
            stream.write(f"{uuid.uuid4()}\n")
        script = BOOT.format(boot="-b" if again else "")
        self.nodes[name] = self._daemon(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh",
             f"{self.base}/{name}", f"{self.base}/local", name], f"slurmd.{name}")

    def kill(self, name):
        """Everything that runs on the node, at one moment; how many processes that were."""
        space, killed = mount_namespace(self.nodes[name].pid), set()
        ours = mount_namespace(os.getpid())
        if space is None or space == ours:
            return 0
        for _ in range(100):
            pids = [int(pid) for pid in os.listdir("/proc")
                    if pid.isdigit() and mount_namespace(pid) == space]
            if not pids:
                break
            for pid in pids:
                killed.add(pid)
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.02)
        self.nodes[name].wait(timeout=5)
        return len(killed)

    def ask(self, *words, seconds=20):
        done = subprocess.run(words, env=self.environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=seconds, check=False)
        return done.stdout.strip()

    def state(self, name):
        return self.ask("sinfo", "--noheader", "--nodes", name, "--format=%T")

    def wait_state(self, wanted, seconds, names=None):
        """The seconds that it took, or None."""
        began = time.monotonic()
        there = self._wait(lambda: all(self.state(name).startswith(wanted)
                                       for name in names or self.names), seconds)
        return time.monotonic() - began if there else None

    def submit(self, *words, log):
        """ci/nightly/slurm/submit in the background; its output goes to the log."""
        with open(log, "wb") as out:
            return subprocess.Popen([f"{GLUE}/submit", *words], env=self.environment,
                                    stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                    start_new_session=True)

    def stop(self):
        """And what it made on this machine goes, where nobody else uses it."""
        self._end_daemons()
        with contextlib.suppress(OSError):
            os.rmdir("/run/stallproof")

    def _end_daemons(self):
        for name in self.nodes:
            try:
                self.kill(name)
            except (OSError, subprocess.TimeoutExpired):
                pass
        for process in reversed(self.daemons):
            if process.poll() is None:
                process.terminate()
        for process in self.daemons:
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()

    def tail(self, log, lines=5):
        return " | ".join(read_text(f"{self.base}/{log}").splitlines()[-lines:])

    def _write_files(self):
        for folder in ("state", "hooks", "local", *self.names):
            os.makedirs(f"{self.base}/{folder}", exist_ok=True)
        for name in self.names:
            os.makedirs(f"{self.base}/{name}/local")
            os.makedirs(f"{self.base}/spool.{name}")
        key = os.open(f"{self.base}/munge.key", os.O_WRONLY | os.O_CREAT, 0o400)
        os.write(key, os.urandom(1024))
        os.close(key)
        ports = free_ports(len(self.names) + 1)
        host = socket.gethostname()
        nodes = [f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=1 "
                 "Gres=stallrig:1" for name, port in zip(self.names, ports)]
        self._put("slurm.conf", CONFIG.format(host=host, base=self.base, ctl_port=ports[-1],
                                              fragment=fragment(self.base),
                                              nodes="\n".join(nodes), names=",".join(self.names)))
        self._put("gres.conf", read_text(f"{GLUE}/gres.conf.fragment").replace(
            "n[01-20]", ",".join(self.names)))
        for name in ("prolog", "epilog", "health", "unkillable"):
            self._put(f"hooks/{name}", HOOK.format(binary=BINARY, base=self.base, glue=GLUE,
                                                   name=name, path=self.environment["PATH"]))
            os.chmod(f"{self.base}/hooks/{name}", 0o755)

    def hooks_find(self, setting):
        """As if the nodes' /etc/stallproof/slurm.env had this line; None: as if there were none."""
        if setting is None:
            os.unlink(f"{self.base}/slurm.env")
        else:
            self._put("slurm.env", setting + "\n")

    def _put(self, name, text):
        with open(f"{self.base}/{name}", "w", encoding="utf-8") as stream:
            stream.write(text)

    def _daemon(self, command, name):
        with open(f"{self.base}/{name}.out", "ab") as out:
            process = subprocess.Popen(command, env=self.environment, stdin=subprocess.DEVNULL,
                                       stdout=out, stderr=out, start_new_session=True)
        self.daemons.append(process)
        return process

    @staticmethod
    def _wait(holds, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if holds():
                return True
            time.sleep(0.2)
        return False
