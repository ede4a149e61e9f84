"""Write what the real commands print into ``recorded/<version>/``, for the tests of the parsers.

``python tests/slurm/record_outputs.py`` starts a cluster with accounting, brings it into an eventful state (running,
pending, preempted, requeued, timed out and failed jobs; a mixed, a drained and a lost node) and takes three minutes.
Names of this machine are replaced.
"""

from __future__ import annotations

import getpass
import re
import socket
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from benchforge.slurm.accounting import QOS_FIELDS, SACCT_FIELDS
from benchforge.slurm.queue import SQUEUE_FORMAT
from virtual_cluster import VirtualCluster, virtual_cluster

HERE = Path(__file__).parent
ACCOUNTING_FORMAT = ",".join(SACCT_FIELDS)
COMMANDS = {
    "nodes": "scontrol -d -o show node",
    "partitions": "scontrol -o show partition",
    "config": "scontrol show config",
    "squeue": f"squeue -h -r -t all -o {SQUEUE_FORMAT}",
    "sacct": f"sacct -D -X -P -n --format={ACCOUNTING_FORMAT}",
    "qos": f"sacctmgr -n -P show qos format={','.join(QOS_FIELDS)}",
}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, virtual_cluster(Path(folder), is_accounting=True) as cluster:
        _make_eventful(cluster)
        version = cluster.text("sinfo", "--version").split()[1].rpartition(".")[0]
        target = HERE / "recorded" / version
        target.mkdir(parents=True, exist_ok=True)
        for name, command in COMMANDS.items():
            text = cluster.text(*command.format(user=getpass.getuser()).split())
            (target / f"{name}.txt").write_text(_made_anonymous(text, folder), encoding="utf-8")


def _make_eventful(cluster: VirtualCluster) -> None:
    gpu = ("-p", "gpu", "--gres=gpu:pro6000:1", "--requeue", "-q", "long")
    over = cluster.submit("sleep 600", *gpu, "-t", "1")
    done = cluster.submit("exit 0", *gpu, "-t", "5")
    failed = cluster.submit("exit 3", *gpu, "-t", "5")
    cancelled = cluster.submit("sleep 600", *gpu, "-t", "5")
    cluster.wait_for_state(over, "RUNNING")
    cluster.wait_for_state(cancelled, "RUNNING")
    cluster.wait_for_state(done, "COMPLETED")
    cluster.wait_for_state(failed, "FAILED")
    cluster.run("scancel", cancelled)
    lost = cluster.submit("sleep 600", *gpu[:1], "gpu", "--gres=gpu:a40:1", "--no-requeue", "-q", "long", "-t", "20")
    cluster.wait_for_state(lost, "RUNNING")
    cluster.kill_node("n3")
    array = cluster.submit(
        "sleep 900", *gpu, "-t", "4:00:00", "--array=0-7%3", "--nice=1000000", "-J", "gen", "-C", "sm120"
    )
    cluster.submit("true", "-p", "cpu", "--array=0-7", f"--dependency=aftercorr:{array}", "-t", "10", "-J", "score")
    cluster.wait_for(lambda: "RUNNING" in cluster.state(array), "the array to run")
    urgent = cluster.submit(
        "sleep 900", "-p", "gpu", "--gres=gpu:pro6000:4", "-N", "1", "-q", "urgent", "-t", "30", "-w", "n1"
    )
    cluster.wait_for_state(urgent, "RUNNING", timeout_seconds=90)
    cluster.wait_for_state(over, "TIMEOUT", timeout_seconds=180)
    cluster.wait_for_state(lost, "NODE_FAIL", timeout_seconds=120)
    cluster.run("scontrol", "update", "NodeName=n2", "State=DRAIN", "Reason=maintenance")
    big = cluster.submit("sleep 60", "-p", "gpu", "-N", "2", "--gres=gpu:pro6000:4", "-q", "long", "-t", "10")
    cluster.wait_for_state(big, "PENDING")


def _made_anonymous(text: str, folder: str) -> str:
    text = re.sub(rf"\b{socket.gethostname()}\b", "host", text.replace(folder, "/slurm"))
    text = re.sub(r"OS=Linux .*? @0|OS=Linux [^\n]*?(?=  RealMemory)", "OS=Linux", text)
    user = getpass.getuser()
    text = re.sub(rf"\b{user}\(\d+\)", "user(1000)", text)
    text = re.sub(r"WorkDir=\S+", "WorkDir=/home/user", text)
    return re.sub(rf"\b{user}\b", "user", text)


if __name__ == "__main__":
    main()
