"""Makes bundles: trains the classifier on UTKFace's chips, calibrates, evaluates and describes it."""
