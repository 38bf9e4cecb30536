"""Photo bytes to labelled faces: decode, detect, align, classify, label."""

import os
import sys

from nightshift.machine.allowance import allowance

# Before torch is loaded, which reads it once. By default OpenMP's threads wait for each other by spinning:
# where another process wants the same cores, a forward pass on two threads then takes twenty times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# By itself OpenMP, and with it torch and the mathematics under NumPy, knows the affinity but no quota.
os.environ.setdefault("OMP_NUM_THREADS", str(allowance().cores))

# Nothing leaves this machine. Where it finds this module, `import openvino` forks, reports itself to Google
# Analytics from the child, and keeps an identity in the home folder; where it does not, it does without.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
