"""A SLURM of one node on this machine, in a folder of its own: for the tests, and to try things by hand.

    python tests/helpers/one_node_slurm.py sinfo

starts munged, slurmctld and slurmd, runs the command with SLURM's commands on its PATH, and stops the three again. It
needs Debian's slurm-wlm and munge; no systemd, no cgroups, no database, and nothing under /etc. Memory is enforced: a
job that takes more than it asked for is killed within a second or two.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

DAEMONS = ("munged", "slurmctld", "slurmd")
COMMANDS = ("sbatch", "scancel", "scontrol", "sinfo", "squeue", "srun")
INSTALL = "apt-get install -y --no-install-recommends slurm-wlm munge"
CONFIGURATION = """\
ClusterName=nullmode
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
SlurmctldPort={control_port}
SlurmdPort={node_port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
ReturnToService=2
MinJobAge=3600
KillWait=2
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory}
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> str:
    """Say what is not installed; empty if nothing."""
    absent = [name for name in (*DAEMONS, *COMMANDS) if _found(name) is None]
    return f"no {', '.join(absent)} on this machine; as root: {INSTALL}" if absent else ""


@contextmanager
def one_node(timeout: float = 30) -> Iterator[dict[str, str]]:
    """Start the daemons, give the environment in which SLURM's commands find them, and stop them."""
    with tempfile.TemporaryDirectory(prefix="slurm_") as folder:
        yield from _in_folder(Path(folder), timeout)


def _in_folder(folder: Path, timeout: float) -> Iterator[dict[str, str]]:
    # munged wants its socket to be within everybody's reach; it lies here because a path of pytest's may be too long.
    folder.chmod(0o711)
    for name in ("bin", "state", "spool"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o600)
    host = socket.gethostname().partition(".")[0]
    configuration = CONFIGURATION.format(
        host=host,
        user=_user(),
        folder=folder,
        control_port=_free_port(),
        node_port=_free_port(),
        cpus=os.cpu_count(),
        memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20 * 9 // 10,
    )
    (folder / "slurm.conf").write_text(configuration)
    # The executor plugin drops SLURM_CONF, and all variables of that prefix, so each command brings it along.
    for name in COMMANDS:
        command = folder / "bin" / name
        command.write_text(f'#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {_found(name)} "$@"\n')
        command.chmod(0o755)
    environment = {**os.environ, "PATH": f"{folder}/bin:{os.environ['PATH']}"}
    munge = [f"--{name}-file={folder}/munge.{name}" for name in ("key", "seed", "pid")]
    with ExitStack() as daemons:
        for command in (
            ["munged", "--foreground", *munge, f"--socket={folder}/munge.socket"],
            ["slurmctld", "-D", "-i", "-f", f"{folder}/slurm.conf"],
            ["slurmd", "-D", "-N", host, "-f", f"{folder}/slurm.conf"],
        ):
            daemons.enter_context(_daemon(command, folder))
        end = time.monotonic() + timeout
        while _answer("sinfo", "--noheader", "--format=%T", folder=folder) != "idle":
            if time.monotonic() > end:
                logs = "".join(
                    f"{log}:\n{log.read_text()[-2000:]}\n" for log in [*folder.glob("*.log"), *folder.glob("*.out")]
                )
                raise RuntimeError(f"SLURM did not come up within {timeout} s.\n{logs}")
            time.sleep(0.2)
        try:
            yield environment
        finally:
            _answer("scancel", "--user", _user(), folder=folder)
            end = time.monotonic() + timeout
            while _answer("squeue", "--noheader", "--format=%i", folder=folder) and time.monotonic() < end:
                time.sleep(0.2)


@contextmanager
def _daemon(command: list[str], folder: Path) -> Iterator[None]:
    # In the foreground, so that it is this process's child: stopped by its handle, whatever its pid file says.
    with (folder / f"{command[0]}.out").open("w") as out:
        daemon = subprocess.Popen([_found(command[0]), *command[1:]], stdout=out, stderr=out)
        try:
            if command[0] == "munged":
                while not (folder / "munge.socket").exists() and daemon.poll() is None:
                    time.sleep(0.05)
            yield
        finally:
            daemon.send_signal(signal.SIGTERM)
            try:
                daemon.wait(timeout=20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()


def _found(name: str) -> str | None:
    # Debian keeps daemons where only root's PATH leads.
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def _user() -> str:
    import pwd

    return pwd.getpwuid(os.getuid()).pw_name


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answer(*command: str, folder: Path) -> str:
    found = subprocess.run([folder / "bin" / command[0], *command[1:]], capture_output=True, text=True, check=False)
    return found.stdout.strip() if found.returncode == 0 else found.stderr


if __name__ == "__main__":
    if absent := missing():
        sys.exit(f"SLURM is not installed: {absent}")
    with one_node() as variables:
        done = subprocess.run(sys.argv[1:], env=variables, check=False)
    sys.exit(done.returncode)
