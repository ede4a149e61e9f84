"""A real SLURM on loopback: slurmctld and one slurmd per virtual node, as whoever runs the tests, without munge.

Four nodes pretend to have GPUs (character devices stand in, so SLURM sets ``CUDA_VISIBLE_DEVICES``), three partitions,
of which one preempts. Debian's slurmd is built with MULTIPLE_SLURMD: several run on one host under ``-N``. Up in about
a second. Ports are the system's choice; the daemons end with the process that started them.
"""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

DAEMONS = ("slurmctld", "slurmd", "sbatch", "scontrol", "setpriv")
ACCOUNTING = ("slurmdbd", "mariadbd", "mariadb-install-db")
NODES = ("n1", "n2", "n3", "c1")
_SYSTEM_PATHS = "/usr/sbin:/sbin"
_STARTS = 3
"""A port that was free can be taken before its daemon binds it: then everything starts again with others."""

_SLURM_CONF = """\
ClusterName=bf
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/none
CredType=cred/none
AuthInfo=cred_expire=5
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool/%n
SlurmctldPidFile={root}/run/slurmctld.pid
SlurmdPidFile={root}/run/slurmd-%n.pid
SlurmctldLogFile={root}/log/slurmctld.log
SlurmdLogFile={root}/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
{limits}
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
SlurmdTimeout=10
MinJobAge=3600
KillWait=10
MessageTimeout=60
MaxArraySize={max_array_size}
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_interval=2,batch_sched_delay=0
SelectType=select/cons_tres
PriorityType=priority/multifactor
PriorityWeightPartition=10000
PreemptMode=REQUEUE
SlurmctldParameters=preempt_send_user_signal
SlurmdParameters=config_overrides
GresTypes=gpu
{accounting}
NodeName=n1 {where} Port={ports[2]} CPUs=16 RealMemory=64000 Gres=gpu:pro6000:4 Feature=sm120,pro6000
NodeName=n2 {where} Port={ports[3]} CPUs=16 RealMemory=64000 Gres=gpu:pro6000:4 Feature=sm120,pro6000
NodeName=n3 {where} Port={ports[4]} CPUs=16 RealMemory=64000 Gres=gpu:a40:2 Feature=sm86
NodeName=c1 {where} Port={ports[5]} CPUs=32 RealMemory=64000 Feature=cpu
PartitionName=gpu Nodes=n[1-3] MaxTime=7-0 State=UP PriorityTier=1 PreemptMode=REQUEUE
PartitionName=gpu-hi Nodes=n[1-3] MaxTime=7-0 State=UP PriorityTier=10 PreemptMode=OFF
PartitionName=cpu Nodes=c1 Default=YES MaxTime=7-0 State=UP
"""
_WITHOUT_LIMITS = "TaskPlugin=task/none\nSelectTypeParameters=CR_Core"
_WITH_LIMITS = "TaskPlugin=task/cgroup\nSelectTypeParameters=CR_Core_Memory\nDefMemPerNode=500"
_CGROUP_CONF = """\
CgroupPlugin=cgroup/v1
CgroupAutomount=no
ConstrainRAMSpace=yes
"""
_MEMORY_CONTROLLER = Path("/sys/fs/cgroup/memory")
_WITHOUT_ACCOUNTING = "PreemptType=preempt/partition_prio"
_WITH_ACCOUNTING = """\
PreemptType=preempt/qos
PriorityWeightQOS=100000
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={ports[6]}
AccountingStorageEnforce=associations,limits,qos
AccountingStorageTRES=gres/gpu,gres/gpu:pro6000"""
_SLURMDBD_CONF = """\
AuthType=auth/none
DbdHost={host}
DbdAddr=127.0.0.1
DbdPort={ports[6]}
SlurmUser={user}
PidFile={root}/run/dbd.pid
LogFile={root}/log/dbd.log
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={ports[7]}
StorageUser=slurm
StoragePass=x
StorageLoc=a
"""

_QOS = (
    "add qos backfill set Priority=1 GraceTime={grace}",
    "add qos long set Priority=10 GraceTime={grace}",
    "add qos urgent set Priority=1000 preempt=backfill,long",
    "add account lab Description=lab Organization=lab",
    "modify account lab set qos=backfill,long,urgent,normal defaultqos=normal",
    "add user {user} account=lab DefaultAccount=lab qos=backfill,long,urgent,normal",
    "modify user {user} set qos=backfill,long,urgent,normal defaultqos=normal defaultaccount=lab",
)
GRACE_SECONDS = 20
"""Between notice and end of a job that a QOS preempts."""


class NotUp(Exception):
    """A daemon did not come up; the message has the last lines of its log."""


@dataclass
class VirtualCluster:
    """Up between ``virtual_cluster`` and its end. Commands run with ``environment``; ``root`` holds its files."""

    root: Path
    environment: Mapping[str, str]
    daemons: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def run(self, *words: str, timeout_seconds: float = 60, **more: str) -> subprocess.CompletedProcess[str]:
        """One command, its output as text; the caller looks at the exit status."""
        environment = {**self.environment, **more}
        return subprocess.run(words, capture_output=True, text=True, timeout=timeout_seconds, env=environment)

    def text(self, *words: str) -> str:
        """Standard output of a command that must succeed."""
        done = self.run(*words)
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout

    def submit(self, script: str, *options: str) -> str:
        """Job id of a script given as text."""
        path = self.root / "job.sh"
        path.write_text("#!/bin/bash\n" + script, encoding="utf-8")
        return self.text("sbatch", "--parsable", "-o", f"{self.root}/log/job-%j.out", *options, str(path)).strip()

    def state(self, job_id: str) -> str:
        """``RUNNING``, ``COMPLETED`` … of one job; of an array the states of its tasks, sorted, with commas."""
        lines = self.text("squeue", "-h", "-r", "-t", "all", "-j", job_id, "-o", "%T").split()
        return ",".join(sorted(set(lines)))

    def wait_for(self, condition: Callable[[], bool], what: str, timeout_seconds: float = 120) -> None:
        """Until the condition holds; AssertionError with ``what`` after a generous while."""
        deadline = time.monotonic() + timeout_seconds
        while not condition():
            assert time.monotonic() < deadline, f"waited {timeout_seconds:g} s for {what}\n{self.queue()}"
            time.sleep(0.1)

    def wait_for_state(self, job_id: str, *states: str, timeout_seconds: float = 120) -> None:
        self.wait_for(lambda: self.state(job_id) in states, f"{job_id} to be {' or '.join(states)}", timeout_seconds)

    def queue(self) -> str:
        """Nodes and jobs that are not over, for the message of a failure."""
        nodes = self.run("sinfo", "-N", "-o", "%N %T %E").stdout
        return nodes + self.run("squeue", "-r", "-t", "PD,R,CG,S", "-o", "%i %P %j %T %M %N %r").stdout

    def drain(self, name: str) -> None:
        """What runs there goes on, nothing new begins."""
        self.text("scontrol", "update", f"NodeName={name}", "State=DRAIN", "Reason=test")

    def kill_node(self, name: str) -> None:
        """The node is lost: its daemon and every process it started end without any signal to handle."""
        daemon = self.daemons[name]
        for pid in _descendants_of_node(name, self.environment["SLURM_CONF"]):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with suppress(ProcessLookupError):
            daemon.kill()
        daemon.wait()

    def start_node(self, name: str) -> None:
        """Bring a lost node back."""
        self._start(name, "slurmd", "-D", "-N", name, "-f", self.environment["SLURM_CONF"], SLURMD_NODENAME=name)

    def clear(self) -> None:
        """Nothing is queued or running when this returns, and every node takes jobs."""
        user = getpass.getuser()
        self.run("scancel", "-u", user)
        self.wait_for(lambda: not self.text("squeue", "-h", "-t", "PD,R,CG,S", "-o", "%i").split(), "an empty queue")
        for name in NODES:
            if self.daemons[name].poll() is not None:
                self.start_node(name)
            self.run("scontrol", "update", f"NodeName={name}", "State=RESUME")
        self.wait_for(self._is_idle, "idle nodes")

    def _is_idle(self) -> bool:
        done = self.run("sinfo", "-h", "-N", "-o", "%T", timeout_seconds=30)
        return done.returncode == 0 and set(done.stdout.split()) == {"idle"}

    def _start(self, name: str, *words: str, **more: str) -> None:
        with (self.root / "log" / f"{name}.out").open("ab") as log:
            command = ["setpriv", "--pdeathsig", "KILL", *words]
            environment = {**self.environment, **more}
            self.daemons[name] = subprocess.Popen(
                command, stdout=log, stderr=log, env=environment, start_new_session=True
            )

    def _stop(self) -> None:
        with suppress(Exception):
            self.run("scancel", "-u", getpass.getuser(), timeout_seconds=20)
            self.wait_for(lambda: not self.text("squeue", "-h", "-t", "R,CG", "-o", "%i").split(), "no job", 20)
        for name in reversed(self.daemons):
            with suppress(ProcessLookupError):
                self.daemons[name].terminate()
        for daemon in self.daemons.values():
            try:
                daemon.wait(timeout=15)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        for pid in _processes_with(self.environment["SLURM_CONF"]):  # steps outlive their daemon by design
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@contextmanager
def virtual_cluster(
    root: Path, is_accounting: bool = False, max_array_size: int = 1001, limits_memory: bool = False
) -> Iterator[VirtualCluster]:
    """A cluster below ``root``; with ``is_accounting`` also slurmdbd and MariaDB (ten seconds more).

    ``limits_memory``: jobs that take more than ``--mem`` are killed by the kernel (``can_limit_memory``).
    """
    for attempt in range(1, _STARTS + 1):
        with ExitStack() as stack:
            cluster = _configured(root / str(attempt), is_accounting, max_array_size, limits_memory)
            stack.callback(cluster._stop)
            try:
                _bring_up(cluster, is_accounting)
            except (NotUp, AssertionError):
                if attempt == _STARTS:
                    raise
                continue
            yield cluster
            return


def missing_programs(is_accounting: bool = False) -> list[str]:
    """What a cluster needs and this machine lacks."""
    path = f"{os.environ.get('PATH', '')}:{_SYSTEM_PATHS}"
    wanted = DAEMONS + (ACCOUNTING if is_accounting else ())
    return [name for name in wanted if shutil.which(name, path=path) is None]


def can_limit_memory() -> bool:
    """Control groups of version 1 with a memory controller that we may write to: as root, mostly."""
    return os.access(_MEMORY_CONTROLLER, os.W_OK) and (_MEMORY_CONTROLLER / "memory.limit_in_bytes").exists()


def _configured(root: Path, is_accounting: bool, max_array_size: int, limits_memory: bool) -> VirtualCluster:
    for name in ("etc", "log", "run", "state", *(f"spool/{node}" for node in NODES)):
        (root / name).mkdir(parents=True, exist_ok=True)
    host = socket.gethostname().split(".")[0]
    facts = {
        "host": host,
        "where": f"NodeHostname={host} NodeAddr=127.0.0.1",
        "user": getpass.getuser(),
        "root": root,
        "ports": _free_ports(8),
        "max_array_size": max_array_size,
        "limits": _WITH_LIMITS if limits_memory else _WITHOUT_LIMITS,
    }
    accounting = (_WITH_ACCOUNTING if is_accounting else _WITHOUT_ACCOUNTING).format(**facts)
    conf = root / "etc" / "slurm.conf"
    conf.write_text(_SLURM_CONF.format(**facts, accounting=accounting), encoding="utf-8")
    (root / "etc" / "cgroup.conf").write_text(_CGROUP_CONF, encoding="utf-8")
    (root / "etc" / "gres.conf").write_text(_gres_conf(), encoding="utf-8")
    dbd = root / "etc" / "slurmdbd.conf"
    dbd.write_text(_SLURMDBD_CONF.format(**facts), encoding="utf-8")
    dbd.chmod(0o600)
    environment = {**os.environ, "SLURM_CONF": str(conf), "PATH": f"{os.environ['PATH']}:{_SYSTEM_PATHS}"}
    environment |= {"DBD_PORT": str(facts["ports"][6]), "DATABASE_PORT": str(facts["ports"][7])}
    return VirtualCluster(root, {name: text for name, text in environment.items() if not name.startswith("SLURM_JOB")})


def _gres_conf() -> str:
    """A gres without a file is dropped, a regular file sets no CUDA_VISIBLE_DEVICES: character devices do."""
    devices = [f"/dev/tty{number}" for number in range(4)]
    if not all(Path(device).exists() for device in devices):
        devices = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random"]
    lines = [f"NodeName=n[1-2] Name=gpu Type=pro6000 File={device}" for device in devices]
    lines += [f"NodeName=n3 Name=gpu Type=a40 File={device}" for device in devices[:2]]
    return "\n".join(lines) + "\n"


def _bring_up(cluster: VirtualCluster, is_accounting: bool) -> None:
    conf = cluster.environment["SLURM_CONF"]
    if is_accounting:
        _bring_up_database(cluster)
    cluster._start("slurmctld", "slurmctld", "-D", "-c", "-f", conf)
    for name in NODES:
        cluster.start_node(name)
    _await(cluster, cluster._is_idle, "slurmctld", "slurmctld.log")
    if is_accounting:
        for words in _QOS:
            cluster.run("sacctmgr", "-i", *words.format(user=getpass.getuser(), grace=GRACE_SECONDS).split())


def _bring_up_database(cluster: VirtualCluster) -> None:
    root, environment = cluster.root, cluster.environment
    data, port = root / "db", environment["DATABASE_PORT"]
    made = cluster.run(
        "mariadb-install-db",
        "--no-defaults",
        f"--datadir={data}",
        "--auth-root-authentication-method=normal",
        "--skip-test-db",
        timeout_seconds=120,
    )
    if made.returncode != 0:
        raise NotUp(made.stderr)
    socket_path = root / "run" / "db.sock"
    words = ["mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={socket_path}", f"--port={port}"]
    words += ["--bind-address=127.0.0.1", "--skip-log-bin", "--innodb-flush-log-at-trx-commit=0"]
    cluster._start("mariadbd", *words, *(["--user=root"] if os.geteuid() == 0 else []))
    grant = "create user if not exists slurm@'127.0.0.1' identified by 'x'; grant all on *.* to slurm@'127.0.0.1';"
    grant += "create user if not exists slurm@localhost identified by 'x'; grant all on *.* to slurm@localhost"
    client = ("mariadb", "--no-defaults", "-u", "root", f"--socket={socket_path}", "-e", grant)
    _await(cluster, lambda: cluster.run(*client).returncode == 0, "mariadbd", "mariadbd.out")
    cluster._start("slurmdbd", "slurmdbd", "-D")
    _await(cluster, lambda: _listens(int(environment["DBD_PORT"])), "slurmdbd", "dbd.log")


def _await(cluster: VirtualCluster, condition: Callable[[], bool], daemon: str, log: str) -> None:
    deadline = time.monotonic() + 90
    while not _holds(condition):
        ended = [name for name, process in cluster.daemons.items() if process.poll() is not None]
        if ended or time.monotonic() > deadline:
            said = [_tail(cluster.root / "log" / name) for name in (f"{(ended or [daemon])[0]}.out", log)]
            raise NotUp(f"{ended or daemon} did not come up: {said}")
        time.sleep(0.05)


def _holds(condition: Callable[[], bool]) -> bool:
    try:
        return condition()
    except subprocess.TimeoutExpired:
        return False


def _tail(path: Path) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-8:]) if path.exists() else ""


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_ports(number: int) -> list[int]:
    """All bound at once, so that they differ; free when this returns."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _descendants_of_node(name: str, conf: str) -> Sequence[int]:
    """Daemon, step managers and jobs of one node: all inherit its name in their environment."""
    mark = f"SLURMD_NODENAME={name}".encode()
    return [pid for pid in _processes_with(conf) if mark in _bytes(f"/proc/{pid}/environ").split(b"\0")]


def _processes_with(conf: str) -> list[int]:
    wanted = f"SLURM_CONF={conf}".encode()
    numbers = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [
        number
        for number in numbers
        if number != os.getpid() and wanted in _bytes(f"/proc/{number}/environ").split(b"\0")
    ]


def _bytes(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""
