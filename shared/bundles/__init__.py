"""Bundles of weights, as far as their manifests tell: without torch."""
