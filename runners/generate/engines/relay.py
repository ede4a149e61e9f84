# started by its path with any Python 3 that is there, also inside a container: standard library only
"""A Unix socket for a server that knows ports only: ``relay.py SOCKET PORT -- COMMAND…``.

Theory of operation. The server is to be reached from outside of its empty network, and an old vLLM has no ``--uds``. So
this script, started where the server will run, forks: the child listens on SOCKET and hands every connection on to
127.0.0.1:PORT of the same network, the parent becomes the server. Whoever kills the server ends the child with it (the
kernel's parent-death signal). A connection that comes before the server listens is closed at once, and asked again.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import sys
import threading

_SET_PDEATHSIG = 1
_CHUNK_BYTES = 1 << 16


def main() -> None:
    path, port, _, *command = sys.argv[1:]
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen(256)
    server = os.getpid()
    if os.fork() == 0:
        ctypes.CDLL(None).prctl(_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # what the server still answers while it drains goes through here
        if os.getppid() == server:
            _accept(listener, int(port))
        os._exit(0)
    listener.close()
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error}\n")
        sys.stderr.flush()
        os._exit(71)


def _accept(listener: socket.socket, port: int) -> None:
    while True:
        client, _ = listener.accept()
        try:
            server = socket.create_connection(("127.0.0.1", port))
        except OSError:
            client.close()
            continue
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_both_ways, args=(client, server), daemon=True).start()


def _both_ways(client: socket.socket, server: socket.socket) -> None:
    back = threading.Thread(target=_copy, args=(server, client), daemon=True)
    back.start()
    _copy(client, server)
    back.join()
    client.close()
    server.close()


def _copy(source: socket.socket, target: socket.socket) -> None:
    """Until one side ends; the end itself is handed on."""
    with contextlib.suppress(OSError):
        while chunk := source.recv(_CHUNK_BYTES):
            target.sendall(chunk)
    for one, how in ((target, socket.SHUT_WR), (source, socket.SHUT_RD)):
        with contextlib.suppress(OSError):
            one.shutdown(how)


if __name__ == "__main__":
    main()
