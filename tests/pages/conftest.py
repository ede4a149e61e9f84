"""The Space in an environment of its own, and Chromium in front of it: `make test-pages`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
SPACE = HERE.parents[1] / "runners" / "publish" / "space"
# the Space is a folder of modules that stand beside each other, as the Hub runs it
sys.path[:0] = [str(HERE), str(SPACE)]
# generous: other work on the machine may hold a page up for long
STEP_MILLISECONDS = 60_000
DESKTOP = {"width": 1280, "height": 900}


@pytest.fixture(scope="session")
def pages_python() -> str:
    """The interpreter that has the Space's requirements."""
    folder = os.environ.get("BENCHFORGE_PAGES")
    if not folder or not (Path(folder) / ".installed").exists():
        pytest.skip("the Space's own environment is not here: make test-pages")
    return str(Path(folder) / "bin" / "python")


@pytest.fixture(scope="session")
def made_marts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A leaderboard of 500 made models on 6 cells of 5 benchmarks."""
    from made_board import write_marts

    folder = tmp_path_factory.mktemp("made") / "leaderboard"
    write_marts(folder)
    return folder


@pytest.fixture(scope="session")
def few_marts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same of 20 models."""
    from made_board import write_marts

    folder = tmp_path_factory.mktemp("few") / "leaderboard"
    write_marts(folder, num_models=20)
    return folder


@pytest.fixture(scope="session")
def space(pages_python: str, made_marts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the Space over the 500 made models."""
    from space_server import served

    home = str(tmp_path_factory.mktemp("hub"))
    with served(pages_python, BENCHFORGE_FOLDER=str(made_marts), HF_HOME=home) as address:
        yield address


@pytest.fixture(scope="session")
def few_space(pages_python: str, few_marts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the Space over 20 made models."""
    from space_server import served

    home = str(tmp_path_factory.mktemp("hub"))
    with served(pages_python, BENCHFORGE_FOLDER=str(few_marts), HF_HOME=home) as address:
        yield address


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Debian's Chromium under playwright."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make test-pages")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@dataclass
class Seen:
    """What a page did that a reader does not see."""

    elsewhere: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture
def opened(chromium: Any) -> Iterator[Callable[..., Any]]:
    """Opens an address in a window of its own. Fails where a page asks beyond loopback or writes errors."""
    windows = []
    seen = Seen()

    def only_here(route: Any) -> None:
        here = route.request.url.split("/")[2].split(":")[0] in ("127.0.0.1", "localhost")
        if not here:
            seen.elsewhere.append(route.request.url)
        route.continue_() if here else route.abort()

    def open_page(address: str, viewport: dict[str, int] = DESKTOP) -> Any:
        window = chromium.new_context(viewport=viewport)
        windows.append(window)
        window.set_default_timeout(STEP_MILLISECONDS)
        page = window.new_page()
        page.route(lambda url: url.startswith("http"), only_here)
        page.on("console", lambda said: seen.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        page.goto(address, wait_until="domcontentloaded")
        return page

    yield open_page
    for window in windows:
        window.close()
    assert not seen.elsewhere, "a page asked for something outside this machine"
    assert not seen.complaints, "a page wrote errors into the browser's console"


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The accessibility rules of axe-core, from the package registry."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed: apt-get install npm")
    folder = tmp_path_factory.mktemp("axe")
    command = [npm, "pack", "--silent", "axe-core@4.11.0"]
    packed = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=STEP_MILLISECONDS / 1000, check=False
    )
    if packed.returncode:
        pytest.skip("the package registry does not give axe-core")
    shutil.unpack_archive(folder / packed.stdout.split()[-1], folder, "gztar", filter="data")
    return (folder / "package" / "axe.min.js").read_text(encoding="utf-8")
