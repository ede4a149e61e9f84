"""Generation: slots full, CPU per request, memory, long answers under preemption, and the whole storm of kills."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

HERE = Path(__file__).parent
IS_BENCH = bool(os.environ.get("BENCHFORGE_BENCH"))
needs_time = pytest.mark.skipif(not IS_BENCH, reason="takes minutes: make bench runs it")
STORM = HERE.parent / "loopback" / "storm.py"
MOST_CPU_MS, LEAST_SHARE_FULL, MOST_MEMORY_RATIO = 3.0, 0.98, 1.15


def run(*words: str, timeout_seconds: float) -> str:
    """What a script of its own process group says; nothing of it is left."""
    process = subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        said, _ = process.communicate(timeout=timeout_seconds)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert process.returncode == 0
    return said


def measured(*arguments: str, timeout_seconds: float = 1800) -> dict[str, float]:
    return json.loads(run(str(HERE / "generate.py"), *arguments, timeout_seconds=timeout_seconds))


@pytest.mark.slow
def test_every_measurement_runs_on_a_small_case():
    """Not how fast, only that each of them measures: shares are shares, and every sample was asked for once."""
    slots = measured("slots", "4", "11", "0.2")
    assert slots["num_samples"] == 84
    assert 0 < slots["share_full"] < 1.001
    assert measured("memory", "84")["num_samples"] == 84
    assert measured("processor", "4", "10", "0.1")["sdk_ms"] > 0
    long = measured("long", "1", "with", "4", "4000")
    assert 0 <= long["share_lost"] < 1


@needs_time
@pytest.mark.parametrize("concurrency", [64, 256])
def test_slots_are_full(concurrency: int):
    found = measured("slots", str(concurrency), "12", "10.0")
    ratio = found["samples_per_minute"] / found["baseline_per_minute"]
    print(
        f"\n{concurrency} slots: {found['share_full']:.2%} full, {found['cpu_ms_per_request']:.2f} ms CPU per request, "
        f"{found['samples_per_minute']:.0f} samples/min, {ratio:.0f} x one at a time"
    )
    assert found["share_full"] >= LEAST_SHARE_FULL


@needs_time
@pytest.mark.parametrize("concurrency", [64, 256])
def test_a_request_costs_little_more_than_the_sdk_alone(concurrency: int):
    """On a busy machine milliseconds grow, the ratio does not."""
    found = measured("processor", str(concurrency), "12", "2.0")
    print(f"\n{concurrency} slots: {found['ours_ms']:.2f} ms CPU per request, the SDK alone {found['sdk_ms']:.2f}")
    assert found["ours_ms"] <= max(MOST_CPU_MS, 1.3 * found["sdk_ms"])


@needs_time
def test_memory_does_not_grow_with_samples():
    small, large = measured("memory", "10000"), measured("memory", "100000")
    for found in (small, large):
        print(f"\n{found['num_samples']} samples: peak {found['peak_bytes'] / 2**20:.0f} MiB, ", end="")
        print(f"{found['cpu_ms_per_sample']:.2f} ms CPU per sample")
    assert large["peak_bytes"] <= MOST_MEMORY_RATIO * small["peak_bytes"]


@needs_time
def test_answers_of_twenty_minutes_are_not_lost_at_the_end_of_a_job():
    found = {word: measured("long", "4", word, "64", "400") for word in ("without", "with")}
    for word, long in found.items():
        print(f"\n{word} admission: {long['share_lost']:.2%} of tokens lost, slots {long['share_busy']:.1%} busy")
    assert found["with"]["share_lost"] <= 0.2 * found["without"]["share_lost"]


@needs_time
def test_five_hundred_kills_over_twenty_thousand_samples(tmp_path: Path):
    found = json.loads(run(str(STORM), str(tmp_path), "1", "500", "48", timeout_seconds=3600))
    print(f"\n{found}")
    assert found["num_kills"] == 500
    assert found["num_samples"] == found["num_sealed"] == found["num_planned"] == 20_160
    assert found["lives_above_in_flight"] == 0
