"""What a control group allows, read from made trees of `/proc` and `/sys/fs/cgroup`, of both versions."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightshift.machine import allowance as module
from nightshift.machine.allowance import Allowance, allowance

GB = 2**30
SECOND = "30 25 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"


def first(root: str = "/") -> str:
    """The mounts of version 1, as Docker shows them: `root` is the group that is seen as the outermost."""
    return "".join(
        f"3{number} 25 0:2{number} {root} /sys/fs/cgroup/{name} ro,nosuid - cgroup cgroup rw,{name}\n"
        for number, name in enumerate(("cpu,cpuacct", "memory", "pids"))
    )


@pytest.fixture(autouse=True)
def a_host_of_sixteen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixteen cores and 64 GB, all of them in the affinity."""
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    monkeypatch.setattr(module, "_in_affinity", lambda: 16)
    monkeypatch.setattr(module, "_memory_there", lambda: 64 * GB)


def tree(root: Path, mounts: str, groups: str, files: Mapping[str, str]) -> Path:
    for name, text in {"proc/self/mountinfo": mounts, "proc/self/cgroup": groups, **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def numbers(found: Allowance) -> tuple[int, int | None, bool]:
    return found.cores, found.memory_bytes, found.memory_is_limited


def test_a_container_of_version_2(tmp_path: Path) -> None:
    files = {
        "cpu.max": "100000 100000\n",
        "memory.max": f"{2 * GB}\n",
        "memory.events": "oom_kill 2\n",
    }
    root = tree(tmp_path, SECOND, "0::/\n", {f"sys/fs/cgroup/{name}": text for name, text in files.items()})
    found = allowance(root)
    assert numbers(found) == (1, 2 * GB, True)
    assert (found.kills, found.host_cores) == (2, 16)
    assert found.text == "1 core of 16 and 2.0 GB of memory"


def test_a_container_of_version_1_whose_path_is_told_from_outside(tmp_path: Path) -> None:
    groups = "4:memory:/docker/ab12\n3:cpu,cpuacct:/docker/ab12\n1:name=systemd:/docker/ab12\n"
    at = "sys/fs/cgroup"
    files = {
        f"{at}/cpu,cpuacct/cpu.cfs_quota_us": "250000\n",
        f"{at}/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
        f"{at}/memory/memory.limit_in_bytes": f"{4 * GB}\n",
        f"{at}/memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 7\n",
    }
    for outermost in ("/docker/ab12", "/"):
        found = allowance(tree(tmp_path / outermost.strip("/"), first(outermost), groups, files))
        assert numbers(found) == (3, 4 * GB, True)
        assert found.kills == 7


def test_the_tightest_limit_on_the_way_holds(tmp_path: Path) -> None:
    files = {
        "a.slice/cpu.max": "400000 100000\n",
        "a.slice/memory.max": f"{3 * GB}\n",
        "a.slice/b.service/cpu.max": "max 100000\n",
        "a.slice/b.service/memory.max": "max\n",
        "a.slice/other.service/cpu.max": "100000 100000\n",
        "a.slice/other.service/memory.max": f"{GB}\n",
    }
    files = {f"sys/fs/cgroup/{name}": text for name, text in files.items()}
    root = tree(tmp_path, SECOND, "0::/a.slice/b.service\n", files)
    assert numbers(allowance(root)) == (4, 3 * GB, True)


def test_no_limit_is_what_the_machine_has(tmp_path: Path) -> None:
    files = {
        "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
        "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
        "proc/vmstat": "pgfault 5\noom_kill 1\n",
    }
    found = allowance(tree(tmp_path, first(), "4:memory:/\n3:cpu,cpuacct:/\n", files))
    assert numbers(found) == (16, 64 * GB, False)
    assert found.kills == 1
    assert found.text == "16 cores and 64.0 GB of memory"


def test_both_versions_at_once(tmp_path: Path) -> None:
    """As systemd mounts them on older systems: the second without controllers of its own."""
    mounts = first() + SECOND.replace("/sys/fs/cgroup ", "/sys/fs/cgroup/unified ")
    files = {
        "sys/fs/cgroup/unified/cgroup.procs": "",
        "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "50000\n",
        "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{GB}\n",
    }
    assert numbers(allowance(tree(tmp_path, mounts, "4:memory:/\n3:cpu,cpuacct:/\n0::/\n", files))) == (
        1,
        GB,
        True,
    )


@pytest.mark.parametrize("limit", ["max", "0", "-1", "--5", "5-", "", "\u00b2", "9223372036854771712"])
def test_what_no_limit_can_be_is_none(tmp_path: Path, limit: str) -> None:
    at = "sys/fs/cgroup"
    files = {f"{at}/memory.max": f"{limit}\n", f"{at}/cpu.max": f"{limit} 0\n"}
    cut = "30 - cgroup2 cgroup2 rw\n31 25 0:26 / /sys/fs/cgroup rw - cgroup\n"
    assert numbers(allowance(tree(tmp_path, cut + SECOND, "0::/\n", files))) == (16, 64 * GB, False)


def test_where_a_group_is_slowed_down_its_memory_ends(tmp_path: Path) -> None:
    files = {"sys/fs/cgroup/memory.max": f"{4 * GB}\n", "sys/fs/cgroup/memory.high": f"{3 * GB}\n"}
    assert numbers(allowance(tree(tmp_path, SECOND, "0::/\n", files))) == (16, 3 * GB, True)


@pytest.mark.parametrize("groups", ["", "0::/\n", "0::/../../elsewhere\n", "nonsense\n", "0::/gone/by/now\n"])
def test_what_cannot_be_read_is_no_limit(tmp_path: Path, groups: str) -> None:
    root = tree(tmp_path, SECOND + "nonsense\n", groups, {"sys/fs/cgroup/cpu.max": "\n"})
    assert numbers(allowance(root)) == (16, 64 * GB, False)
    assert numbers(allowance(tmp_path / "nowhere")) == (16, 64 * GB, False)


@given(quota=st.integers(1, 3_000_000), period=st.integers(1_000, 1_000_000), affinity=st.integers(1, 16))
def test_cores_are_never_more_than_may_be_used_by_a_whole_one(quota: int, period: int, affinity: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_groups", lambda *_: [Path("group")])
        patch.setattr(module, "_numbers", lambda path: [quota, period] if path.name == "cpu.max" else [])
        patch.setattr(module, "_in_affinity", lambda: affinity)
        cores = allowance().cores
    assert 1 <= cores <= affinity
    assert cores - quota / period < 1
    assert cores == affinity or cores >= quota / period


def test_this_machine_tells_something() -> None:
    found = allowance()
    assert found.cores >= 1
    assert found.memory_bytes
