"""The machine that measurements are of, without its name."""

from __future__ import annotations

import os
import platform

import torch

from bench.cpu import cpu_name
from bench.mode import bf16_is_switched_off
from bench.results import Machine
from nightshift.machine.allowance import allowance

_BF16 = ("avx512_bf16", "amx_bf16")


def has_native_bf16() -> bool:
    """True when the CPU multiplies bf16 numbers itself, and is left to."""
    able = torch.cpu.get_capabilities()
    return any(able.get(name) for name in _BF16) and not bf16_is_switched_off()


def describe_machine() -> Machine:
    """CPU, cores, memory, versions."""
    able = torch.cpu.get_capabilities()
    has = {"AVX2": able.get("avx2"), "AVX-512": able.get("avx512_f"), "bf16": has_native_bf16()}
    return Machine(
        cpu=cpu_name(),
        cores=allowance().cores,
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        features=tuple(name for name, there in has.items() if there),
        python=platform.python_version(),
        torch=torch.__version__.partition("+")[0],
        threads=torch.get_num_threads(),
    )
