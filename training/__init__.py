"""Makes bundles: trains the classifier on UTKFace's chips, calibrates, evaluates and describes it."""

import worker.pipeline as _pipeline  # noqa: F401 - how threads wait is set there, before torch is loaded
