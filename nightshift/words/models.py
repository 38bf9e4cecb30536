"""Bundles of weights as a server lists them; all that is known of one is in `nightshift.words.model_card`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from nightshift.words.document import Document, Known
from nightshift.words.documents import BundleName, CommercialUse


class ModelMetrics(Document):
    """How good weights were on their validation faces, as their manifest says; null where it does not."""

    gender: float | None = Field(None, description="Apparent gender right, 0-1.")
    age8: float | None = Field(None, description="Apparent age group right, of eight, 0-1.")
    near: float | None = Field(None, description="Apparent age group right or the next one, 0-1.")
    mae: float | None = Field(None, description="Mean error of the apparent age, years.")


class ModelError(Document):
    """Why weights cannot be used."""

    code: str
    message: str


class Model(Document):
    """A bundle of weights in the weights folder, by what its manifest says of it."""

    name: str = Field(description="Of its folder: what NIGHTSHIFT_BUNDLE takes.")
    manifest_name: str | None = Field(None, description="In its manifest: what results carry.")
    sha256: str | None = Field(None, description="Of its weights, hex, as its manifest says.")
    in_use: bool = Field(False, description="Whether NIGHTSHIFT_BUNDLE names it.")
    input_size: int | None = Field(None, description="Side of the crop of a face, pixels.")
    age_kind: Known[Literal["years", "groups"]] | None = Field(
        None,
        description="`years`: it knows apparent ages; `groups`: groups only, and `age_years` is null.",
    )
    metrics: ModelMetrics = Field(default_factory=ModelMetrics)
    licence: str | None = None
    commercial_use: CommercialUse | None = Field(
        None, description="Whether one may earn money with it, as its manifest says; null when it is broken."
    )
    size_bytes: int = Field(0, description="Of its files.")
    error: ModelError | None = Field(None, description="Why it cannot be used; null when nothing is known.")


class ModelList(Document):
    """Weights, by name."""

    in_use: BundleName = Field(description="Weights that new jobs are opened for.")
    models: list[Model]
