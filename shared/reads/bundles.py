"""Weights as the API and the command show them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from nightshift.words import documents
from nightshift.words.errors import ModelUnavailable
from nightshift.words.models import Model, ModelError, ModelMetrics
from nightshift.words.thresholds import Thresholds
from shared.bundles.listing import ListedBundle, list_bundles
from shared.bundles.manifest import Manifest


def model(bundle: ListedBundle) -> Model:
    """One bundle, without a path of this machine."""
    manifest, error = bundle.manifest, bundle.error
    return Model(
        name=bundle.folder.name,
        manifest_name=manifest.name if manifest else None,
        sha256=manifest.sha256 if manifest else None,
        in_use=bundle.in_use,
        input_size=manifest.input.size if manifest else None,
        age_kind=manifest.heads.age.kind if manifest else None,
        metrics=_metrics(manifest),
        licence=manifest.licence if manifest else None,
        commercial_use=commercial_use(manifest) if manifest else None,
        size_bytes=bundle.size_bytes,
        error=ModelError(code=error.code, message=error.message) if error else None,
    )


def commercial_use(manifest: Manifest) -> documents.CommercialUse:
    """What a manifest says of it."""
    said = manifest.commercial_use
    return documents.CommercialUse(allowed=said.allowed, reason=said.reason)


def commercial_use_of(sha256: str, in_use: Manifest, weights_dir: Path) -> documents.CommercialUse:
    """Of weights that a job was opened for, perhaps long ago.

    Args:
        sha256: of the weights.
        in_use: manifest of those that new jobs are opened for.
        weights_dir: where others are.
    """
    manifest = manifest_of(sha256, in_use, weights_dir)
    if manifest is None:
        return documents.CommercialUse(reason="these weights are not here any more")
    return commercial_use(manifest)


def manifest_of(sha256: str, in_use: Manifest, weights_dir: Path) -> Manifest | None:
    """Manifest of weights by their digest, as for `commercial_use_of`; None where they are not here."""
    if in_use.sha256 == sha256:
        return in_use
    try:
        listed = list_bundles(weights_dir)
    except ModelUnavailable:
        return None
    manifests = (bundle.manifest for bundle in listed if bundle.manifest is not None)
    return next((manifest for manifest in manifests if manifest.sha256 == sha256), None)


def thresholds(manifest: Manifest) -> Thresholds:
    """Where labels become uncertain."""
    heads, limits = manifest.heads, manifest.limits
    return Thresholds(
        gender=heads.gender.uncertain_below,
        age_group=heads.age.uncertain_below,
        sharpness=limits.min_sharpness,
        crop_size_px=limits.min_size_px,
        brightness=limits.min_brightness,
        yaw_deg=limits.max_yaw_deg,
        cut_off=limits.max_cut_off,
    )


def _metrics(manifest: Manifest | None) -> ModelMetrics:
    # Nothing runs by these numbers, so that a manifest may hold anything in their place.
    metrics = (manifest.model_extra or {}).get("metrics") if manifest else None
    validation = metrics.get("validation") if isinstance(metrics, dict) else None
    told: dict[str, Any] = validation if isinstance(validation, dict) else {}
    return ModelMetrics(**{name: number(told.get(name)) for name in ModelMetrics.model_fields})


def number(value: object) -> float | None:
    """A finite number, or None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None
