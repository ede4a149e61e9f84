"""System calls by what the filter does with them: one list of names, with the number of each machine beside it.

A name stands here once, so it cannot be known for one machine and forgotten for another; ``_`` marks a machine that
never had the call. The numbers are the kernel's ABI: arch/x86/entry/syscalls/syscall_64.tbl and scripts/syscall.tbl
(Linux 7.0, whose newest call is ``rseq_slice_yield``). What is newer than that answers ENOSYS, as on a kernel that
does not have it, until somebody has looked at it and written it here or left it out.
"""

from __future__ import annotations

from collections.abc import Mapping

_: None = None
MACHINES = ("x86_64", "aarch64")
"""Columns of the tables below."""
NEWEST = 471
Numbers = tuple[int | None, int | None]

DENIED: Mapping[str, Numbers] = {
    # new processes and programs
    "fork": (57, _), "vfork": (58, _), "execve": (59, 221), "execveat": (322, 281), "uselib": (134, _),
    # sockets; socketpair, and what goes over a pair, have rules of their own
    "socket": (41, 198), "connect": (42, 203), "accept": (43, 202), "accept4": (288, 242), "bind": (49, 200),
    "listen": (50, 201), "setsockopt": (54, 208), "sendmmsg": (307, 269), "recvmmsg": (299, 243),
    # other processes, and a larger share of the processor than others
    "tkill": (200, 130), "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "kcmp": (312, 272), "pidfd_open": (434, 434), "pidfd_send_signal": (424, 424), "pidfd_getfd": (438, 438),
    "process_madvise": (440, 440), "process_mrelease": (448, 448), "get_robust_list": (274, 100),
    "sched_setaffinity": (203, 122), "sched_setscheduler": (144, 119), "sched_setattr": (314, 274),
    "sched_setparam": (142, 118), "setpriority": (141, 140), "ioprio_set": (251, 30), "rseq_slice_yield": (471, 471),
    "migrate_pages": (256, 238), "move_pages": (279, 239), "mbind": (237, 235), "set_mempolicy": (238, 237),
    "set_mempolicy_home_node": (450, 450),
    # identity
    "setuid": (105, 146), "setgid": (106, 144), "setreuid": (113, 145), "setregid": (114, 143),
    "setgroups": (116, 159), "setresuid": (117, 147), "setresgid": (119, 149), "setfsuid": (122, 151),
    "setfsgid": (123, 152), "capset": (126, 91), "lsm_get_self_attr": (459, 459), "lsm_set_self_attr": (460, 460),
    "lsm_list_modules": (461, 461),
    # System V and POSIX IPC, anonymous files: memory that outlives or escapes the limits
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "semget": (64, 190), "semop": (65, 193),
    "semctl": (66, 191), "semtimedop": (220, 192), "msgget": (68, 186), "msgsnd": (69, 189), "msgrcv": (70, 188),
    "msgctl": (71, 187), "mq_open": (240, 180), "mq_unlink": (241, 181), "mq_timedsend": (242, 182),
    "mq_timedreceive": (243, 183), "mq_notify": (244, 184), "mq_getsetattr": (245, 185), "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    # namespaces and mounts
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "unshare": (272, 97),
    "setns": (308, 268), "listns": (470, 470), "open_tree": (428, 428), "open_tree_attr": (467, 467),
    "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432),
    "fspick": (433, 433), "mount_setattr": (442, 442), "statmount": (457, 457), "listmount": (458, 458),
    # kernel subsystems with a history
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "keyctl": (250, 219), "add_key": (248, 217),
    "request_key": (249, 218), "seccomp": (317, 277), "personality": (135, 92), "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263), "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    "lookup_dcookie": (212, 18), "modify_ldt": (154, _), "splice": (275, 76), "tee": (276, 77), "vmsplice": (278, 75),
    "landlock_create_ruleset": (444, 444), "landlock_add_rule": (445, 445), "landlock_restrict_self": (446, 446),
    "io_setup": (206, 0), "io_destroy": (207, 1), "io_submit": (209, 2), "io_cancel": (210, 3),
    "io_getevents": (208, 4), "io_pgetevents": (333, 292), "remap_file_pages": (216, 234),
    "map_shadow_stack": (453, 453), "uretprobe": (335, _), "uprobe": (336, _),
    # the machine
    "reboot": (169, 142), "kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "swapon": (167, 224), "swapoff": (168, 225),
    "quotactl": (179, 60), "quotactl_fd": (443, 443), "acct": (163, 89), "syslog": (103, 116),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "clock_adjtime": (305, 266), "adjtimex": (159, 171),
    "sethostname": (170, 161), "setdomainname": (171, 162), "iopl": (172, _), "ioperm": (173, _),
    "vhangup": (153, 58), "nfsservctl": (180, 42), "sync": (162, 81), "syncfs": (306, 267),
    # what others do with the same read-only files: watching it, or pushing them out of memory
    "inotify_init": (253, _), "inotify_init1": (294, 26), "inotify_add_watch": (254, 27),
    "inotify_rm_watch": (255, 28), "mincore": (27, 232), "cachestat": (451, 451), "readahead": (187, 213),
    "fadvise64": (221, 223),
    # metadata that Landlock does not guard; and locks on shared read-only files
    "chmod": (90, _), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452), "chown": (92, _),
    "fchown": (93, 55), "lchown": (94, _), "fchownat": (260, 54), "utime": (132, _), "utimes": (235, _),
    "futimesat": (261, _), "utimensat": (280, 88), "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7),
    "setxattrat": (463, 463), "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
    "removexattrat": (466, 466), "file_setattr": (469, 469), "flock": (73, 32), "mknod": (133, _),
    "mknodat": (259, 33),
}  # fmt: skip
"""Refused with EPERM whatever their arguments."""

DENIED_WRITES: Mapping[str, Numbers] = {
    "creat": (85, _), "mkdir": (83, _), "mkdirat": (258, 34), "rmdir": (84, _), "unlink": (87, _),
    "unlinkat": (263, 35), "rename": (82, _), "renameat": (264, 38), "renameat2": (316, 276), "link": (86, _),
    "linkat": (265, 37), "symlink": (88, _), "symlinkat": (266, 36), "truncate": (76, 45),
}  # fmt: skip
"""Refused as well where no writable directory of our own exists (mode inner-only)."""

SPECIAL: Mapping[str, Numbers] = {
    "clone": (56, 220), "clone3": (435, 435), "openat2": (437, 437), "kill": (62, 129), "tgkill": (234, 131),
    "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240), "prlimit64": (302, 261), "prctl": (157, 167),
    "arch_prctl": (158, _), "socketpair": (53, 199), "sendto": (44, 206), "sendmsg": (46, 211), "recvfrom": (45, 207),
    "recvmsg": (47, 212), "ioctl": (16, 29), "fcntl": (72, 25), "madvise": (28, 233), "open": (2, _),
    "openat": (257, 56),
}  # fmt: skip
"""Judged by their arguments: ``seccomp`` has a rule for each."""


OF_PROCESSES = frozenset((
    # other programs, and what they talk through: pipes, pairs, sockets of their own (``socket`` has a rule)
    "fork", "vfork", "execve", "execveat", "socket", "connect", "accept", "accept4", "bind", "listen", "setsockopt",
    "sendmmsg", "recvmmsg",
    # signals: nobody else is in the namespace
    "tkill", "pidfd_open", "pidfd_send_signal", "get_robust_list", "setpriority", "sched_setaffinity",
    # files of a scratch that nobody shares: modes, times, locks, pipes with a name
    "chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat", "utime", "utimes", "futimesat",
    "utimensat", "flock", "mknod", "mknodat", "fadvise64", "readahead", "sync", "syncfs", "inotify_init",
    "inotify_init1", "inotify_add_watch", "inotify_rm_watch",
))  # fmt: skip
"""Refused to a program, allowed where a sample has process, mount, network and IPC namespaces of its own."""


def numbers(table: Mapping[str, Numbers], machine: str) -> dict[str, int]:
    """The calls of a table that the machine has."""
    column = MACHINES.index(machine)
    found = {name: row[column] for name, row in table.items()}
    return {name: number for name, number in found.items() if number is not None}
