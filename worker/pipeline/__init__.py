"""Photo bytes to labelled faces: decode, detect, align, classify, label."""

import os

# Before torch is loaded, which reads it once. By default OpenMP's threads wait for each other by spinning:
# where another process wants the same cores, a forward pass on two threads then takes twenty times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
