"""System calls that a sample may not make: a deny list as data, and the BPF program built from it.

Why a deny list: CPython and numpy need a wide and version-dependent set of calls; what a sample must never do is
short and stable: start a process, talk to anything, signal or inspect another process, gain or change privilege,
reach kernel subsystems with a record of holes, keep state in the kernel after its death. Denied calls fail with EPERM
(Python raises PermissionError), so an honest program that merely tries can go on. ``clone3`` and ``openat2`` answer
ENOSYS, because their arguments lie behind a pointer that a filter cannot read and libc then falls back to the old call.

The numbers are the kernel's ABI: arch/x86/entry/syscalls/syscall_64.tbl (Linux).
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Mapping
from dataclasses import dataclass

X86_64: Mapping[str, int] = {
    # processes
    "fork": 57, "vfork": 58, "execve": 59, "execveat": 322,
    # sockets; socketpair has a rule of its own
    "socket": 41, "connect": 42, "accept": 43, "sendto": 44, "bind": 49, "listen": 50, "accept4": 288,
    # other processes
    "tkill": 200, "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312, "pidfd_open": 434,
    "pidfd_send_signal": 424, "pidfd_getfd": 438, "process_madvise": 440, "process_mrelease": 448,
    "sched_setaffinity": 203, "sched_setscheduler": 144, "sched_setattr": 314, "sched_setparam": 142,
    "setpriority": 141, "ioprio_set": 251, "migrate_pages": 256, "move_pages": 279,
    # System V and POSIX IPC, anonymous files: memory that outlives or escapes the limits
    "shmget": 29, "shmat": 30, "shmctl": 31, "semget": 64, "semop": 65, "semctl": 66, "semtimedop": 220, "msgget": 68,
    "msgsnd": 69, "msgrcv": 70, "msgctl": 71, "mq_open": 240, "mq_unlink": 241, "mq_timedsend": 242,
    "mq_timedreceive": 243, "mq_notify": 244, "mq_getsetattr": 245, "memfd_create": 319, "memfd_secret": 447,
    # namespaces and mounts
    "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "unshare": 272, "setns": 308, "open_tree": 428,
    "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433, "mount_setattr": 442,
    # kernel subsystems with a history
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "bpf": 321, "perf_event_open": 298,
    "userfaultfd": 323, "keyctl": 250, "add_key": 248, "request_key": 249, "seccomp": 317, "personality": 135,
    "fanotify_init": 300, "fanotify_mark": 301, "name_to_handle_at": 303, "open_by_handle_at": 304,
    "lookup_dcookie": 212,
    "modify_ldt": 154, "vmsplice": 278, "landlock_create_ruleset": 444, "landlock_add_rule": 445,
    # the machine
    "reboot": 169, "kexec_load": 246, "kexec_file_load": 320, "init_module": 175, "finit_module": 313,
    "delete_module": 176, "swapon": 167, "swapoff": 168, "quotactl": 179, "quotactl_fd": 443, "acct": 163,
    "syslog": 103,
    "settimeofday": 164, "clock_settime": 227, "clock_adjtime": 305, "adjtimex": 159, "sethostname": 170,
    "setdomainname": 171, "iopl": 172, "ioperm": 173, "vhangup": 153, "nfsservctl": 180,
    # metadata that Landlock does not guard; and locks on shared read-only files
    "chmod": 90, "fchmod": 91, "fchmodat": 268, "fchmodat2": 452, "chown": 92, "fchown": 93, "lchown": 94,
    "fchownat": 260, "utime": 132, "utimes": 235, "futimesat": 261, "utimensat": 280, "setxattr": 188, "lsetxattr": 189,
    "fsetxattr": 190, "removexattr": 197, "lremovexattr": 198, "fremovexattr": 199, "flock": 73, "mknod": 133,
    "mknodat": 259,
}  # fmt: skip
"""Denied whatever their arguments."""

X86_64_WRITES: Mapping[str, int] = {
    "creat": 85, "mkdir": 83, "mkdirat": 258, "rmdir": 84, "unlink": 87, "unlinkat": 263, "rename": 82, "renameat": 264,
    "renameat2": 316, "link": 86, "linkat": 265, "symlink": 88, "symlinkat": 266, "truncate": 76,
}  # fmt: skip
"""Denied as well where no writable directory of our own exists (mode inner-only)."""

X86_64_SPECIAL: Mapping[str, int] = {
    "clone": 56, "clone3": 435, "openat2": 437, "kill": 62, "tgkill": 234, "rt_sigqueueinfo": 129,
    "rt_tgsigqueueinfo": 297, "prlimit64": 302, "prctl": 157, "socketpair": 53, "ioctl": 16, "open": 2, "openat": 257,
}  # fmt: skip
"""Judged by their arguments."""


@dataclass(frozen=True)
class Architecture:
    """One machine type: its audit number, its tables, and whether a second ABI shares the first one's entry."""

    audit_arch: int
    denied: Mapping[str, int]
    denied_writes: Mapping[str, int]
    special: Mapping[str, int]
    second_abi_from: int | None
    seccomp_call: int


ARCHITECTURES: Mapping[str, Architecture] = {
    # x32 shares x86-64's entry with bit 30 set
    "x86_64": Architecture(0xC000003E, X86_64, X86_64_WRITES, X86_64_SPECIAL, 0x40000000, 317),
}

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_EPERM, _ENOSYS = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
_NUMBER, _ARCH = 0, 4
_CLONE_THREAD = 0x00010000
_WRITE_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | getattr(os, "O_TMPFILE", 0) & ~os.O_DIRECTORY
_PRCTL_DENIED = (1, 4, 22, 35, 0x59616D61)  # PDEATHSIG, DUMPABLE, SECCOMP, MM, PTRACER
_IOCTL_DENIED = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX

Instruction = tuple[int, int, int, int]
"""(code, jump if true, jump if false, operand)"""


def machine() -> Architecture | None:
    return ARCHITECTURES.get(platform.machine())


def program(arch: Architecture, own_pid: int, *, may_write: bool) -> list[Instruction]:
    """The filter for a process whose id (in its own namespace) is ``own_pid``."""
    code: list[Instruction] = [(_LOAD, 0, 0, _ARCH), (_EQUAL, 1, 0, arch.audit_arch), _return(_KILL)]
    code.append((_LOAD, 0, 0, _NUMBER))
    if arch.second_abi_from is not None:
        code += [(_AT_LEAST, 0, 1, arch.second_abi_from), _return(_EPERM)]
    for name, rule in _special_rules(own_pid, may_write=may_write).items():
        if name in arch.special:
            code += [(_EQUAL, 0, len(rule), arch.special[name]), *rule]
    denied = dict(arch.denied) if may_write else {**arch.denied, **arch.denied_writes}
    for number in denied.values():
        code += [(_EQUAL, 0, 1, number), _return(_EPERM)]
    return [*code, _return(_ALLOW)]


def install(own_pid: int, *, may_write: bool) -> bool:
    """Set no_new_privs' companion filter on this process, for good. False where kernel or machine has none."""
    arch = machine()
    if arch is None:
        return False
    instructions = program(arch, own_pid, may_write=may_write)
    packed = b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)
    buffer = ctypes.create_string_buffer(packed, len(packed))
    header = struct.pack("@HP", len(instructions), ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.syscall(arch.seccomp_call, 1, 0, ctypes.create_string_buffer(header, len(header))) == 0


def _special_rules(own_pid: int, *, may_write: bool) -> dict[str, list[Instruction]]:
    rules = {
        "clone3": [_return(_ENOSYS)],
        "openat2": [_return(_ENOSYS)],
        "clone": [_argument(0), (_ANY_BIT, 1, 0, _CLONE_THREAD), _return(_EPERM), _return(_ALLOW)],
        "prlimit64": [_argument(2), (_EQUAL, 0, 2, 0), _argument(2, high=True), (_EQUAL, 1, 0, 0), _return(_EPERM),
                      _return(_ALLOW)],
        "prctl": _refuse_values(0, _PRCTL_DENIED),
        "ioctl": _refuse_values(1, _IOCTL_DENIED),
        # an AF_UNIX datagram pair could be pointed at any socket in the file system
        "socketpair": [_argument(0), (_EQUAL, 0, 3, 1), _argument(1), (_AND, 0, 0, 0xF), (_EQUAL, 1, 0, 1),
                       _return(_EPERM), _return(_ALLOW)],
    }  # fmt: skip
    for name in ("kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"):
        rules[name] = [_argument(0), (_EQUAL, 1, 0, own_pid), _return(_EPERM), _return(_ALLOW)]
    if not may_write:
        for name, position in (("open", 1), ("openat", 2)):
            rules[name] = [_argument(position), (_ANY_BIT, 0, 1, _WRITE_FLAGS), _return(_EPERM), _return(_ALLOW)]
    return rules


def _refuse_values(position: int, values: tuple[int, ...]) -> list[Instruction]:
    count = len(values)
    checks: list[Instruction] = [(_EQUAL, count - index, 0, value) for index, value in enumerate(values)]
    return [_argument(position), *checks, _return(_ALLOW), _return(_EPERM)]


def _argument(position: int, *, high: bool = False) -> Instruction:
    """Load 32 bits of an argument (little-endian machines). The kernel reads int arguments from the low half only."""
    return (_LOAD, 0, 0, 16 + 8 * position + (4 if high else 0))


def _return(action: int) -> Instruction:
    return (_RETURN, 0, 0, action)
