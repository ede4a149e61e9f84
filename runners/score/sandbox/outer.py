"""The outer sandbox as data: what is bound where, and the command line of each mode. Pure functions, no side effects.

Theory of operation. Five ways to the same picture, named in every row that is scored. From the inside it is always:
an interpreter, its packages and our ``inside`` folder, read-only at fixed paths; an empty environment; ``/tmp`` in
memory (bounded); no network, no other process, no home, no dataset, no device but null, zero, random and urandom.

``apptainer-setuid`` / ``apptainer-userns``  the cluster's container runtime and a CPU image
``bubblewrap``   the local twin
``unshare``      the same namespaces made by ``launch`` itself, where bubblewrap is missing
``inner-only``   no namespace: seccomp, Landlock and limits alone; nothing is writable there

The control socket is descriptor 0 everywhere, because every runtime passes standard input on.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SCRATCH_BYTES = 256 << 20
BOX = "/box"
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
_UNSHARED = (
    ("--unshare-user", "user_namespace"), ("--unshare-pid", "pid_namespace"), ("--unshare-net", "network_namespace"),
    ("--unshare-ipc", "ipc_namespace"), ("--unshare-uts", ""), ("--unshare-cgroup-try", ""),
)  # fmt: skip
_SYSTEM = ("/usr", "/lib", "/lib64", "/lib32", "/bin", "/etc/ld.so.cache", "/etc/alternatives")
PACKAGES: Mapping[str, tuple[str, ...]] = {
    "numpy": ("numpy", "numpy.libs"),
    "tree-sitter": ("tree_sitter",),
    "tree-sitter-python": ("tree_sitter_python",),
}
"""All that is shown of the installed distributions, and their folders: verdicts must not depend on what else a user
installed, and the folder of an installed benchForge holds the answers of its own problems. Their versions are part of
``grader_id``. Programs may read the first alone; the others are loaded by the server that extracts."""
PACKAGES_OF_PROGRAMS = ("numpy",)
_PACKAGE_FOLDERS = (
    "lib*/python*/site-packages", "lib*/python*/dist-packages", "local/lib*/python*/site-packages",
    "local/lib*/python*/dist-packages", "envs", "pkgs",
)  # fmt: skip
"""Where installed packages lie below an interpreter's prefix, those of its other environments included."""
ENVIRONMENT: Mapping[str, str] = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    # a fork of a process with threads is unsafe, and one core per sample is the rule
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "HOME": "/tmp",
    "TMPDIR": "/tmp",
}


@dataclass(frozen=True)
class Bind:
    """A read-only bind: ``source`` outside, ``target`` inside; ``link`` is set where the source is a symbolic link."""

    source: str
    target: str
    link: str = ""


@dataclass(frozen=True)
class Box:
    """Everything a mode needs to build the picture. Paths are absolute."""

    python: str
    inside: str
    extract: str
    packages: tuple[str, ...]
    binds: tuple[Bind, ...]
    covered: tuple[str, ...] = ()
    """Directories below a bind that an empty one hides: installed packages, and this package itself."""
    shown: tuple[str, ...] = ()
    """Package folders bound last, where they are covered or lie below no bind."""
    environment: Mapping[str, str] = field(default_factory=lambda: dict(ENVIRONMENT))
    scratch_bytes: int = SCRATCH_BYTES
    image: str = ""
    """Container image of the apptainer modes: it brings its own interpreter and packages."""
    server: str = "server"
    """Module below ``inside`` that is run."""
    uses_site: bool = False
    """Whether the interpreter finds its packages by itself (that of an environment, or of an image)."""
    directories: tuple[str, ...] = ()
    """Empty directories for mounts of a sample's own; ``/proc`` among them is mounted."""


def local_box(extract: Path | None = None) -> Box:
    """The box made of this machine's interpreter and packages."""
    here = Path(__file__).resolve().parent
    prefix, packages = _interpreter_prefix(), _package_directories()
    own = [] if _is_below(prefix, "/usr") else [Bind(prefix, prefix)]
    binds = (*_system_binds(), *own)
    return Box(
        python=_base_python(),
        inside=str(here / "inside"),
        extract=str(extract or here.parent / "extract"),
        packages=packages,
        binds=binds,
        covered=tuple(_covered([bind.source for bind in binds if not bind.link], prefix, here.parents[2])),
        shown=tuple(_shown_packages(packages, PACKAGES)),
    )


def bubblewrap_argv(box: Box, bubblewrap: str = "bwrap", without: frozenset[str] = frozenset()) -> list[str]:
    """Command line of bubblewrap: all namespaces new, only the binds of the box. ``without``: see ``layers``."""
    spaces = [option for option, layer in _UNSHARED if layer not in without] if without else ["--unshare-all"]
    argv = [bubblewrap, *spaces, "--die-with-parent", "--new-session", "--clearenv", "--hostname", "sandbox"]
    bound = "--bind" if "readonly_binds" in without else "--ro-bind"
    # before the binds: a checkout may itself lie below /tmp, and must not be hidden by the scratch
    argv += ["--size", str(box.scratch_bytes), "--tmpfs", "/tmp"]
    for bind in box.binds:
        argv += ["--symlink", bind.link, bind.target] if bind.link else [bound, bind.source, bind.target]
    for directory in box.covered:
        argv += ["--tmpfs", directory]
    for path in box.shown:
        argv += [bound, path, path]
    for directory in box.covered if "readonly_binds" not in without else ():
        argv += ["--remount-ro", directory]
    argv += [bound, box.inside, f"{BOX}/inside", bound, box.extract, f"{BOX}/extract"]
    for device in DEVICES:
        argv += ["--dev-bind", device, device]
    for directory in box.directories:
        argv += ["--proc" if directory == "/proc" else "--dir", directory]
    argv += [*([] if "readonly_binds" in without else ["--remount-ro", "/"]), "--chdir", "/"]
    for name, value in box.environment.items():
        argv += ["--setenv", name, value]
    return [*argv, "--", *server_argv(box, BOX)]


def root_binds(box: Box) -> list[list[str]]:
    """What ``launch`` shows in the root that it builds: source, target, link."""
    binds = [[bind.source, bind.target, bind.link] for bind in box.binds]
    binds += [[box.inside, f"{BOX}/inside", ""], [box.extract, f"{BOX}/extract", ""]]
    return [*binds, *([device, device, ""] for device in DEVICES)]


def apptainer_argv(box: Box, *, userns: bool, apptainer: str = "apptainer", scratch: str = "") -> list[str]:
    """Command line of apptainer: contained, no network, no home, our two folders bound read-only into the image.

    ``scratch`` is a folder of ours for its /tmp: the one that ``--containall`` makes ends at 64 MiB for everything
    (``sessiondir max size``, apptainer/apptainer@6a76317). ``--memory`` and ``--pids-limit`` are not asked for: without
    a user bus they are an error; the limits inside and ``--mem`` of SLURM hold in any case.
    """
    argv = [apptainer, "--silent", "exec", "--containall", "--no-home", "--net", "--network", "none"]
    argv += ["--no-mount", "hostfs,bind-paths", "--cleanenv", "--no-privs", "--no-eval"]
    argv += ["--workdir", scratch] if scratch else []
    argv += ["--userns"] if userns else []
    argv += ["--bind", f"{box.inside}:{BOX}/inside:ro", "--bind", f"{box.extract}:{BOX}/extract:ro"]
    for name, value in box.environment.items():
        argv += ["--env", f"{name}={value}"]
    return [*argv, box.image, *server_argv(box, BOX)]


def server_argv(box: Box, mounted_at: str) -> list[str]:
    """The interpreter, isolated from environment and user site, running ``inside.server`` from ``mounted_at``."""
    packages = list(box.packages) if not box.image else []
    code = (
        f"import sys; sys.path.insert(0, {mounted_at!r}); sys.path += {packages!r}; "
        f"from inside.{box.server} import main; main()"
    )
    # an image's interpreter finds its own packages; ours is started without site and told where they are
    return [box.python, "-I", *([] if box.image or box.uses_site else ["-S"]), "-c", code]


def landlock_readable(box: Box, *, is_bare: bool) -> list[str]:
    """Paths a child may read: the interpreter, the packages of programs, system libraries, and the extractors.

    ``is_bare``: nothing is mounted over covered directories, so only what lies beside them is named.
    """
    extract = box.extract if is_bare else f"{BOX}/extract"
    if box.image:
        return ["/usr", "/lib", "/lib64", "/opt", extract, *DEVICES]
    binds = [bind.target for bind in box.binds if not bind.link]
    paths = [beside for path in binds for beside in _beside(path, box.covered)] if is_bare else binds
    return [*paths, *_shown_packages(box.packages, PACKAGES_OF_PROGRAMS), extract, *DEVICES]


def _beside(path: str, covered: Sequence[str]) -> list[str]:
    """``path``, or what lies in it beside the covered directories, at every level down to them."""
    if path in covered:
        return []
    if not any(_is_below(directory, path) for directory in covered):
        return [path]
    try:
        names = sorted(os.listdir(path))  # noqa: PTH208 - names, not paths
    except OSError:
        return []
    return [found for name in names for found in _beside(f"{path}/{name}", covered)]


def landlock_devices() -> list[str]:
    return ["/dev/null"]


def _base_python() -> str:
    base = getattr(sys, "_base_executable", sys.executable) or sys.executable
    return os.path.realpath(base)


def _interpreter_prefix() -> str:
    return os.path.realpath(sys.base_prefix)


def _package_directories() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    found = dict.fromkeys(os.path.realpath(paths[name]) for name in ("purelib", "platlib"))
    return tuple(path for path in found if Path(path).is_dir())


def _shown_packages(directories: Sequence[str], distributions: Iterable[str]) -> list[str]:
    folders = [folder for name in distributions for folder in PACKAGES[name]]
    places = [Path(directory) / folder for directory in directories for folder in folders]
    return [str(place) for place in places if place.is_dir()]


def _covered(sources: Sequence[str], prefix: str, package: Path) -> list[str]:
    """Package folders below the sources, and this package where it lies there; the outermost of nested ones."""
    roots = [Path(source) for source in dict.fromkeys((*sources, prefix, "/usr/local"))]
    found = [folder for root in roots for pattern in _PACKAGE_FOLDERS for folder in root.glob(pattern)]
    # the interpreter of an environment lies in it: what holds the prefix or the standard library stays
    real = {os.path.realpath(folder) for folder in (*found, package) if folder.is_dir()}
    below = [path for path in sorted(real) if any(_is_below(path, source) and path != source for source in sources)]
    kept = [path for path in below if not _is_below(prefix, path)]
    return [path for path in kept if not any(_is_below(path, other) for other in kept if other != path)]


def _system_binds() -> list[Bind]:
    binds = []
    for path in _SYSTEM:
        if Path(path).is_symlink() and Path(path).is_dir():
            binds.append(Bind(path, path, str(Path(path).readlink())))
        elif Path(path).exists():
            binds.append(Bind(path, path))
    return binds


def _is_below(path: str, parent: str) -> bool:
    return path == parent or path.startswith(parent.rstrip("/") + "/")
