# ruff: noqa: E501 - programs are data
"""Sockets of every family, and roads to one that do not look like it."""

from __future__ import annotations

from .attack import Attack, in_call

_LIBC = "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"


def _socket(name: str, family: int, kind: int, protocol: int = 0) -> Attack:
    return in_call(name, f"import socket\nsocket.socket({family}, {kind}, {protocol})")


ATTACKS = [
    in_call("TCP to a listener", "import socket\nsocket.create_connection(('127.0.0.1', TCP_PORT), 1).send(b'bf_canary')"),
    in_call("TCP over IPv6", "import socket\nsocket.create_connection(('::1', TCP_PORT), 1)"),
    in_call("a datagram to a listener", "import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'bf_canary', ('127.0.0.1', TCP_PORT))"),
    in_call("abstract Unix socket", "import socket\ns = socket.socket(socket.AF_UNIX)\ns.connect('\\0' + UNIX_NAME)"),
    in_call("Unix socket by path", "import socket\ns = socket.socket(socket.AF_UNIX)\ns.connect('/run/dbus/system_bus_socket')"),
    in_call("listens", "import socket\ns = socket.create_server(('', 0))"),
    in_call("datagram pair to a path", "import socket\na, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)"),
    in_call("sequenced pair", "import socket\na, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)"),
    in_call("pair reconnected", "import socket\na, b = socket.socketpair()\na.connect('\\0' + UNIX_NAME)"),
    in_call("pair that sends elsewhere", "import socket\na, b = socket.socketpair()\na.sendto(b'bf_canary', '\\0' + UNIX_NAME)"),
    in_call("pair that listens", "import socket\na, b = socket.socketpair()\na.bind('\\0bf_canary_own'); a.listen()"),
    _socket("raw packets", 2, 3, 1),
    _socket("packets of the link", 17, 3),
    _socket("netlink", 16, 3),
    _socket("virtual machine's host", 40, 1),
    _socket("cryptography of the kernel", 38, 5),
    _socket("bluetooth", 31, 3),
    in_call("socket by number", f"{_LIBC}if libc.syscall(41, 2, 1, 0) < 0: raise OSError"),
    in_call("socket with high bits set", f"{_LIBC}if libc.syscall(ctypes.c_long(41), ctypes.c_long(2 | 1 << 40), 1, 0) < 0: raise OSError"),
    in_call("socket of the second ABI", f"{_LIBC}if libc.syscall(0x40000000 + 41, 2, 1, 0) < 0: raise OSError"),
    in_call("socketcall of the 32-bit ABI", "import ctypes, mmap\nroom = mmap.mmap(-1, 4096, prot=7)\nroom.write(bytes.fromhex('b866000000cd80c3'))\nif ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(room)))() < 0: raise OSError", reasons=("killed", "timeout")),
    in_call("name lookup", "import socket\nsocket.getaddrinfo('localhost', TCP_PORT)[0]\nsocket.gethostbyname('example.org')"),
    in_call("asyncio", "import asyncio\nasync def main():\n    await asyncio.open_connection('127.0.0.1', TCP_PORT)\nasyncio.run(main())"),
    in_call("HTTP", "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:TCP_PORT/bf_canary', timeout=1)"),
    in_call("bash's own device", "import io\nio.open('/dev/tcp/127.0.0.1/TCP_PORT', 'wb').write(b'x')"),
]  # fmt: skip
