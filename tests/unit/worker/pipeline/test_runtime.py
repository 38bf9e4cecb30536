"""What runtimes do to the process that they run in."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from shared.settings import REPOSITORY
from worker.pipeline.runtime import RuntimeName, runtimes

BUILDS_TWO_AND_GIVES_THEM_UP = """
import gc, os, signal, sys
import torch
from torch import nn
from worker.pipeline.runtime import compiled

def build():
    return compiled(nn.MaxPool2d(2), (1, 3, 8, 8), runtime=sys.argv[1], device=torch.device("cpu"))

one, other = build(), build()
del one
gc.collect()
del other
gc.collect()
signal.signal(signal.SIGTERM, lambda *_: print("handled", flush=True))
os.kill(os.getpid(), signal.SIGTERM)
print("alive")
"""


@pytest.mark.parametrize("runtime", runtimes(torch.device("cpu")))
def test_signals_are_survived_when_networks_are_gone(runtime: RuntimeName) -> None:
    """One that crashed would, to the queue, have been killed by its photos."""
    ran = subprocess.run(
        [sys.executable, "-c", BUILDS_TWO_AND_GIVES_THEM_UP, runtime],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "handled\nalive\n", "")
