"""What an attack is: a hostile program, the task it is graded on, and how it ends.

Every program is written so that ``pass`` would prove success: it answers rightly if, and only if, what it tries works
(or it leaves a canary that ``effects`` looks for). Words in capitals are filled in by the test: ``TCP_PORT`` and
``UNIX_NAME`` of listeners that nobody may reach, ``TOKEN_FILE`` and ``CHECKOUT``, paths outside the sandbox.
"""

from __future__ import annotations

from dataclasses import dataclass

RIGHT = "def total(xs):\n    return sum(xs)\n"


@dataclass(frozen=True)
class Attack:
    """``reasons``: what the first failing part may be called; empty for anything."""

    name: str
    program: str
    task: str = "total"
    reasons: tuple[str, ...] = ()


def at_import(name: str, statements: str, task: str = "once", reasons: tuple[str, ...] = ()) -> Attack:
    """The statements run as the program loads; what follows answers rightly."""
    return Attack(name, f"{statements.strip()}\n\n{RIGHT}", task, reasons)


def in_call(name: str, statements: str, task: str = "once", reasons: tuple[str, ...] = ()) -> Attack:
    """The statements run inside the call (``yes`` is the right answer); without a ``return`` the answer is right."""
    body = "\n".join(f"    {line}" if line else "" for line in statements.strip().splitlines())
    return Attack(name, f"def total(xs):\n    yes = sum(xs)\n{body}\n    return yes\n", task, reasons)


def on_pipe(name: str, frames: bytes | str, task: str = "once", reasons: tuple[str, ...] = ()) -> Attack:
    """A forged report on the result pipe, written before the program is asked anything; an expression gives bytes."""
    source = frames if isinstance(frames, str) else repr(frames)
    program = f"import os\nframes = {source}\nwhile frames:\n    frames = frames[os.write(3, frames):]\nos._exit(0)\n"
    return Attack(name, program, task, reasons)
