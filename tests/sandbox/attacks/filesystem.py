# ruff: noqa: E501 - programs are data
"""Files that are not the sample's: read, written, linked, locked, watched."""

from __future__ import annotations

from .attack import in_call

_LIBC = "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"
_LIBRARY = "import collections, os\npath = collections.__file__\n"

WRITES = [
    in_call("write outside", "import io\nio.open('/tmp/bf_canary_own', 'w').write('x')"),
    in_call("write above", "import io\nio.open('../bf_canary_own', 'w').write('x')"),
    in_call("write to shared memory", "import io\nio.open('/dev/shm/bf_canary_own', 'w').write('x')"),
    in_call("write to the home", "import io, os\nio.open(os.path.expanduser('~/bf_canary_own'), 'w').write('x')"),
    in_call("write to the checkout", "import io\nio.open(CHECKOUT + '/bf_canary_own', 'w').write('x')"),
    in_call("nameless file outside", "import os\nos.open('/tmp', os.O_TMPFILE | os.O_RDWR, 0o600)"),
    in_call("link to outside", "import io, posix\nposix.symlink('/tmp', 'd')\nio.open('d/bf_canary_own', 'w').write('x')"),
    in_call("link that outlives", "import os, posix\nposix.symlink('/etc/passwd', 'note')"),
    in_call("hard link to a library", f"{_LIBRARY}os.link(path, 'copy')"),
    in_call("library overwritten", f"{_LIBRARY}os.close(os.open(path, os.O_WRONLY))"),
    in_call("library truncated", f"{_LIBRARY}import posix\nposix.truncate(path, 0)"),
    in_call("library removed", f"{_LIBRARY}import posix\nposix.unlink(path)"),
    in_call("library renamed", f"{_LIBRARY}import posix\nposix.rename(path, 'mine')"),
    in_call("scratch renamed", "import posix\nhere = posix.getcwd()\nposix.rename(here, '/tmp/bf_canary_own')"),
    in_call("scratch of another removed", "import posix\nfor name in posix.listdir('/tmp'): posix.rmdir('/tmp/' + name)"),
    in_call("chmod", "import posix\nposix.chmod('.', 0o777)"),
    in_call("setuid file", "import os\nos.close(os.open('s', os.O_CREAT | os.O_WRONLY, 0o4755))\nif not os.stat('s').st_mode & 0o4000: raise OSError\nos.chmod('s', 0o4755)"),
    in_call("chown", f"{_LIBC}if libc.lchown(b'.', 0, 0) != 0: raise OSError"),
    in_call("times", f"{_LIBC}if libc.utimensat(-100, b'.', None, 0) != 0: raise OSError"),
    in_call("extended attribute", "import os\nos.setxattr('.', 'user.bf_canary', b'x')"),
    in_call("device file", "import os\nos.mknod('d', 0o20666, os.makedev(1, 1))"),
    in_call("socket file", f"{_LIBC}if libc.mknod(b's', 0o140666, 0) != 0: raise OSError"),
    in_call("lock on a library", f"{_LIBRARY}import fcntl\nfd = os.open(path, os.O_RDONLY)\nfcntl.flock(fd, fcntl.LOCK_EX)"),
    in_call("lease on a library", f"{_LIBRARY}import fcntl\nfd = os.open(path, os.O_RDONLY)\nfcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)"),
]  # fmt: skip
READS = [
    in_call("list the root", "import posix\nposix.listdir('/')"),
    in_call("list the scratches", "import posix\nposix.listdir('/tmp')"),
    in_call("list above", "import posix\nposix.listdir('..')"),
    in_call("passwords", "import io\nio.open('/etc/passwd').read()"),
    in_call("name of the machine", "import io\nio.open('/etc/hostname').read()"),
    in_call("the source tree", "import io\nio.open(CHECKOUT + '/pyproject.toml').read()"),
    in_call("a token file", "import io\nif not io.open(TOKEN_FILE).read(): raise OSError"),
    in_call("a token file through its descriptor", "import os\nfor fd in range(1000):\n    try: os.open(TOKEN_FILE.lstrip('/'), os.O_RDONLY, dir_fd=fd)\n    except OSError: continue\n    return yes\nraise OSError"),
    in_call("own process", "import io\nio.open('/proc/self/environ', 'rb').read()"),
    in_call("own memory map", "import io\nio.open('/proc/self/maps').read()"),
    in_call("root of the first process", "import posix\nposix.listdir('/proc/1/root')"),
    in_call("parameters of the kernel", "import io\nio.open('/sys/kernel/mm/transparent_hugepage/enabled').read()"),
    in_call("memory of the machine", "import io\nio.open('/dev/mem', 'rb').read(1)"),
    in_call("messages of the kernel", "import io\nio.open('/dev/kmsg').read(1)"),
    in_call("a terminal", "import io\nio.open('/dev/tty')"),
    in_call("a disk", "import glob, io\nio.open((glob.glob('/dev/[svn][dv]*') or ['/dev/sda'])[0], 'rb').read(1)"),
    in_call("environment", "import os\nif not any('bf-' + 'secret' in v for v in os.environ.values()): raise OSError"),
    in_call("our own package", "import glob, sys\nfound = [n for p in sys.path for n in glob.glob(p + '/benchforge*')]\nif not found: raise OSError"),
    in_call("other packages", "import pytest, duckdb"),
    in_call("mounts", f"{_LIBC}if libc.mount(b'none', b'.', b'tmpfs', 0, None) != 0: raise OSError"),
    in_call("another root", "import posix\nposix.chroot('.')"),
    in_call("file by handle", f"{_LIBC}handle = (ctypes.c_int * 40)(128)\nif libc.name_to_handle_at(-100, b'.', handle, (ctypes.c_int * 1)(), 0) != 0: raise OSError"),
    in_call("openat2", f"{_LIBC}how = (ctypes.c_ulong * 3)()\nif libc.syscall(437, -100, b'/etc/passwd', how, 24) < 0: raise OSError"),
    in_call("a directory above by descriptor", "import os\nfd = os.open('.', os.O_RDONLY | os.O_DIRECTORY)\nfor _ in range(9): fd = os.open('..', os.O_RDONLY | os.O_DIRECTORY, dir_fd=fd)\nos.listdir(fd)"),
    in_call("a path without reading", "import os\nfd = os.open('/etc', os.O_PATH)\nos.listdir(os.open('.', os.O_RDONLY, dir_fd=fd))"),
]  # fmt: skip

ATTACKS = [*WRITES, *READS]
