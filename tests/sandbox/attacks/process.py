# ruff: noqa: E501 - programs are data
"""Other processes: started, signalled, read, traced, outlived. Answering rightly means that it worked."""

from __future__ import annotations

from .attack import Attack, at_import, in_call

_LIBC = "import ctypes, posix\nlibc = ctypes.CDLL(None, use_errno=True)\n"
_BORN = "if pid == 0:\n    libc.prctl(15, b'bf_canary', 0, 0, 0)\n    import time; time.sleep(30); posix._exit(0)\nif pid < 0: raise OSError"


def _works(name: str, call: str) -> Attack:
    """The call gives something below zero where it is refused."""
    return in_call(name, f"{_LIBC}if {call} < 0: raise OSError(ctypes.get_errno())")


def _machine_code(code: str) -> str:
    """Statements that run x86-64 machine code; ``value`` is what it leaves in eax."""
    return (
        f"import ctypes, mmap\nroom = mmap.mmap(-1, 4096, prot=7)\nroom.write(bytes.fromhex('{code}'))\n"
        "value = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(room)))()\n"
    )


STARTED = [
    in_call("fork", f"import ctypes, posix\nlibc = ctypes.CDLL(None)\npid = posix.fork()\n{_BORN}"),
    in_call("fork by libc", f"{_LIBC}pid = libc.fork()\n{_BORN}"),
    in_call("fork by number", f"{_LIBC}pid = libc.syscall(57)\n{_BORN}"),
    in_call("vfork by number", f"{_LIBC}pid = libc.syscall(58)\nif pid < 0: raise OSError"),
    in_call("clone without a thread", f"{_LIBC}pid = libc.syscall(56, 17, 0, 0, 0, 0)\n{_BORN}"),
    in_call("clone with high bits set", f"{_LIBC}pid = libc.syscall(56, ctypes.c_long(17 | 1 << 40), 0, 0, 0, 0)\n{_BORN}"),
    in_call("clone3", f"{_LIBC}args = (ctypes.c_ulong * 11)(); args[4] = 17\npid = libc.syscall(435, args, 88)\n{_BORN}"),
    in_call("fork of the second ABI", f"{_LIBC}pid = libc.syscall(0x40000000 + 57)\n{_BORN}"),
    in_call("fork of the 32-bit ABI", _machine_code("b802000000cd80c3") + "if value < 0: raise OSError\nif value == 0:\n    import posix; posix._exit(0)", reasons=("killed", "timeout")),
    in_call("exec", "import posix\nposix.execv('/bin/true', ['true'])"),
    in_call("exec by descriptor", f"{_LIBC}import os\nfd = os.open('/usr/bin/env', os.O_RDONLY)\nlibc.syscall(322, fd, b'', (ctypes.c_char_p * 2)(b'bf_canary'), None, 0x1000)\nraise OSError"),
    in_call("exec of an anonymous file", "import os, posix\nfd = posix.memfd_create('bf_canary')\nos.write(fd, b'#!/bin/sh\\nsleep 30\\n')"),
    in_call("spawn", "import os\nos.posix_spawn('/bin/sh', ['bf_canary', '-c', 'sleep 30'], {})"),
    in_call("subprocess", "import _posixsubprocess, subprocess\nsubprocess.run(['true'])"),
    in_call("subprocess loaded anew", "import importlib, subprocess\nimportlib.reload(subprocess).run(['/bin/true'], check=True)"),
    in_call("multiprocessing", "import multiprocessing\np = multiprocessing.Process(target=print); p.start(); p.join()"),
    in_call("terminal of its own", "import pty\npid, _ = pty.fork()"),
    in_call("shell by libc", f"{_LIBC}if libc.system(b'sleep 30 &') != 0: raise OSError"),
]  # fmt: skip
SIGNALLED = [
    in_call("kill all", "import posix\nposix.kill(-1, 9)"),
    in_call("kill the server", "import posix\nposix.kill(posix.getppid(), 9)"),
    in_call("kill the group", "import posix\nposix.kill(0, 15)"),
    in_call("stop the server", "import posix\nposix.kill(posix.getppid(), 19)"),
    in_call("kill the first process", "import posix\nposix.kill(1, 9)"),
    _works("tkill", "libc.syscall(200, posix.getppid(), 9)"),
    _works("tgkill", "libc.syscall(234, posix.getppid(), posix.getppid(), 9)"),
    _works("queued signal", "libc.syscall(129, posix.getppid(), 9, (ctypes.c_int * 32)(9, 0, -1))"),
    _works("queued signal with high bits", "libc.syscall(62, ctypes.c_long(posix.getppid() | 1 << 32), 9)"),
    in_call("descriptor of the server", "import os, posix, signal\nsignal.pidfd_send_signal(os.pidfd_open(posix.getppid()), 9)"),
    in_call("a signal of its choice by input ready", "import fcntl, os, posix\nr, w = os.pipe()\nfcntl.fcntl(r, 10, 9)\nfcntl.fcntl(r, fcntl.F_SETOWN, posix.getppid())\nfcntl.fcntl(r, fcntl.F_SETFL, 0x2000)\nos.write(w, b'x')\nraise OSError"),
    in_call("signal to the server by a timer", f"{_LIBC}event = (ctypes.c_int * 16)(0, 0, 9, 4, posix.getppid())\nif libc.syscall(222, 1, event, (ctypes.c_int * 2)()) < 0: raise OSError"),
]  # fmt: skip
INSPECTED = [
    in_call("read the server's memory", "import io, posix\nio.open(f'/proc/{posix.getppid()}/mem', 'rb')"),
    in_call("proc through a descriptor", "import os\nfor fd in range(4096):\n    try: os.open('self/status', 0, dir_fd=fd)\n    except OSError: continue\n    return yes\nraise ValueError"),
    _works("trace the server", "libc.ptrace(16, posix.getppid(), 0, 0)"),
    _works("seize the server", "libc.ptrace(0x4206, posix.getppid(), 0, 0)"),
    _works("be traced by the server", "libc.ptrace(0, 0, 0, 0)"),
    _works("read another process", "libc.syscall(310, posix.getppid(), (ctypes.c_ulong * 2)(0, 8), 1, (ctypes.c_ulong * 2)(0, 8), 1, 0)"),
    _works("write another process", "libc.syscall(311, posix.getppid(), (ctypes.c_ulong * 2)(0, 8), 1, (ctypes.c_ulong * 2)(0, 8), 1, 0)"),
    _works("take a descriptor", "libc.syscall(438, libc.syscall(434, posix.getppid(), 0), 0, 0)"),
    _works("compare kernel objects", "libc.syscall(312, posix.getpid(), posix.getpid(), 0, 0, 0)"),
    _works("be dumpable again", "libc.prctl(4, 1, 0, 0, 0)"),
    _works("any tracer welcome", "libc.prctl(0x59616d61, ctypes.c_long(-1), 0, 0, 0)"),
    _works("page faults of its own", "libc.syscall(323, 1)"),
    _works("counters of the processor", "libc.syscall(298, (ctypes.c_char * 128)(), 0, -1, -1, 0)"),
]  # fmt: skip
STATE = [
    _works("outlives its parent", "libc.prctl(1, 0, 0, 0, 0)"),
    _works("another filter", "libc.prctl(22, 1, 0, 0, 0)"),
    _works("a filter with a listener", "libc.syscall(317, 1, 8, (ctypes.c_char * 16)())"),
    _works("another personality", "libc.syscall(135, 0x0040000)"),
    _works("new namespace", "libc.unshare(0x10000000)"),
    _works("namespace of another", "libc.setns(0, 0)"),
    _works("shared memory", "libc.shmget(0, 4096, 0o1600)"),
    _works("semaphores", "libc.semget(0, 1, 0o1600)"),
    _works("message queue", "libc.msgget(0, 0o1600)"),
    _works("message queue by name", "libc.syscall(240, b'bf_canary', 66, 0o600, None)"),
    _works("keyring", "libc.syscall(248, b'user', b'bf_canary', b'x', 1, -3)"),
    _works("joins a keyring", "libc.syscall(250, 1, b'bf_canary')"),
    _works("io_uring", "libc.syscall(425, 4, (ctypes.c_char * 128)())"),
    _works("bpf", "libc.syscall(321, 0, (ctypes.c_int * 16)(1, 4, 4, 1), 64)"),
    _works("anonymous file", "libc.syscall(319, b'bf_canary', 0)"),
    _works("secret memory", "libc.syscall(447, 0)"),
    _works("table of segments", "libc.syscall(154, 1, (ctypes.c_int * 4)(), 16)"),
    in_call("another processor", "import os\nos.sched_setaffinity(0, {0})"),
    in_call("real time", "import os\nos.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))"),
    in_call("priority", "import os\nos.setpriority(os.PRIO_PROCESS, 0, 5)"),
    in_call("type into the terminal", "import fcntl\nfcntl.ioctl(0, 0x5412, b'x')"),
]  # fmt: skip
AFTERWARDS = [
    Attack("a thread that outlives the answer", "import threading, time\ndef work():\n    while True: time.sleep(0.001)\nthreading.Thread(target=work).start()\ndef total(xs):\n    return -1\n"),
    Attack("a canary by its name alone", "import ctypes\nctypes.CDLL(None).prctl(15, b'bf_canary', 0, 0, 0)\ndef total(xs):\n    return -1\n"),
    Attack("timers that fire after the end", "import os, signal\nsignal.signal(signal.SIGALRM, lambda *_: os.write(3, b'[\"a\",0,0.1,0.1,6]\\n'))\nsignal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)\ndef total(xs):\n    return -1\n"),
    at_import("modules poisoned for whoever is next", "import builtins, json, math, sys\njson.dumps = json.loads = lambda *a, **k: 6\nbuiltins.sum = lambda xs: 6\nmath.fsum = None\nsys.modules.clear()\nraise ValueError"),
    at_import("bytecode poisoned for whoever is next", "import collections, io, os\npath = os.path.dirname(collections.__file__) + '/__pycache__/bf_canary.pyc'\nio.open(path, 'wb').write(b'x')"),
    at_import("descriptors passed to itself", "import array, socket\na, b = socket.socketpair()\nwhile True:\n    a.sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [a.fileno(), b.fileno(), 3]))])"),
]  # fmt: skip

ATTACKS = [*STARTED, *SIGNALLED, *INSPECTED, *STATE, *AFTERWARDS]
