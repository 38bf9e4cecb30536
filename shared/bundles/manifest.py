"""The manifest of a bundle (format nightshift-bundle/1): what can be known of weights without torch."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from nightshift.words.analysis import AGE_GROUPS
from nightshift.words.error_codes import Code
from nightshift.words.errors import ModelUnavailable
from nightshift.words.photo_names import path_spelled_out
from nightshift.words.wrong_values import SHA256_HEX, wrong
from shared.bundles.limits import Limits

FORMAT = "nightshift-bundle/1"
MANIFEST = "manifest.json"
TENSORS = "model.safetensors"
GENDER_ONNX, AGE_ONNX = "gender.onnx", "age.onnx"
INT8 = "int8.safetensors"
MANIFEST_BYTES = 1_000_000
"""More than any manifest needs; it is read into memory before anything is known of it."""

_ERRORS_NAMED = 8

Architecture = Literal["efficientnet_v2_s", "mobilenet_v1"]
FEATURES: dict[Architecture, int] = {"efficientnet_v2_s": 1280, "mobilenet_v1": 1024}
"""The architectures whose layers are known here, and how many features each hands to its two heads."""

ONNX: Literal["onnx"] = "onnx"
"""Two networks of any layers, of gender and of age; they share no features."""

BUNDLE_FILES = (TENSORS, GENDER_ONNX, AGE_ONNX, INT8)
"""Every file that a bundle may have beside its manifest."""

Point2 = tuple[float, float]


def _without_controls(name: str) -> str:
    """A name goes into results, logs and onto terminals as it is."""
    if not name.isprintable():
        raise ValueError("must have printable characters only")
    return name


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")


class InputSpec(_Part):
    """What the network expects: a square RGB crop, `size` px a side, normalised channel by channel."""

    size: int = Field(ge=32, le=1024)
    mean: tuple[float, float, float]
    std: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]]


class GenderHead(_Part):
    """Order of the gender head's outputs; at the apparent age groups of `uncertain_at` none is believed."""

    classes: tuple[str, ...]
    uncertain_below: float = Field(0.75, ge=0, le=1)
    uncertain_at: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _two_classes(self) -> GenderHead:
        if set(self.classes) != {"female", "male"} or len(self.classes) != 2:
            raise ValueError("classes must be female and male, each once")
        return self

    @model_validator(mode="after")
    def _at_ages(self) -> GenderHead:
        labels = [label for label, _, _ in AGE_GROUPS]
        if not set(self.uncertain_at) <= set(labels):
            raise ValueError(f"uncertain_at must name age groups: {', '.join(labels)}")
        return self


class AgeGroupSpec(_Part):
    """Years from `low` to `high`, both included; open above when `high` is null."""

    label: str
    low: int = Field(ge=0)
    high: int | None


class AgeHead(_Part):
    """`years`: one output a year, 0 up. `groups`: one output a group, `age_years` unknown.

    With `by_gender` the head holds one set of group outputs for each gender class, in their order,
    and the set of the more probable gender is read (the original model's form).
    """

    kind: Literal["years", "groups"]
    groups: tuple[AgeGroupSpec, ...]
    by_gender: bool = False
    uncertain_below: float = Field(0.40, ge=0, le=1)

    @model_validator(mode="after")
    def _the_eight_groups(self) -> AgeHead:
        if tuple((group.label, group.low, group.high) for group in self.groups) != AGE_GROUPS:
            raise ValueError(f"groups must be {', '.join(label for label, _, _ in AGE_GROUPS)}")
        return self


class Heads(_Part):
    """The two classifiers over the features."""

    gender: GenderHead
    age: AgeHead


class Framing(_Part):
    """Where the five landmarks lie in the crop, as fractions of its side."""

    left_eye: Point2
    right_eye: Point2
    nose: Point2
    mouth_left: Point2
    mouth_right: Point2


class Temperatures(_Part):
    """By which the logarithms of ONNX networks' probabilities are divided; other weights have theirs folded
    into the heads.
    """

    gender: float = Field(gt=0, le=100)
    age: float = Field(gt=0, le=100)


class CommercialUse(_Part):
    """Whether one may earn money with the weights, by the terms of those who made them and of their data."""

    allowed: Literal["yes", "no", "unknown"]
    reason: Annotated[str, AfterValidator(_without_controls)] = Field(min_length=1, max_length=500)


NOT_SAID = CommercialUse(allowed="unknown", reason="their manifest does not say")


class TensorFile(_Part):
    """A file of weights, the digest it must have, and the format of its numbers."""

    sha256: str = Field(pattern=SHA256_HEX)
    dtype: Literal["float16", "float32", "bfloat16"]


class EightBits(_Part):
    """What came out where convolutions were computed in eight bits, as `int8.safetensors` says.

    Attributes:
        sha256: of that file.
        gender: share of the chips that were asked about with the label of fp32, 0-1.
        age_group: likewise.
    """

    sha256: str = Field(pattern=SHA256_HEX)
    gender: float = Field(ge=0, le=1)
    age_group: float = Field(ge=0, le=1)


class Manifest(_Part):
    """`manifest.json` of a bundle."""

    format: Literal["nightshift-bundle/1"]
    name: Annotated[str, AfterValidator(_without_controls)] = Field(min_length=1, max_length=100)
    architecture: Literal[Architecture, "onnx"]
    features: int | None = None
    input: InputSpec
    heads: Heads
    temperatures: Temperatures | None = None
    framing: Framing
    limits: Limits = Limits()
    licence: str = "not said"
    commercial_use: CommercialUse = NOT_SAID
    files: dict[str, TensorFile]
    int8: EightBits | None = None

    @model_validator(mode="after")
    def _features_of_the_architecture(self) -> Manifest:
        features = None if self.architecture == ONNX else FEATURES[self.architecture]
        if self.features != features:
            said = features or "null: its two networks share none"
            raise ValueError(f"features must be {said}, those of {self.architecture}")
        return self

    @model_validator(mode="after")
    def _temperatures_of_onnx(self) -> Manifest:
        if self.temperatures and self.architecture != ONNX:
            raise ValueError(f"temperatures are folded into the heads of {self.architecture}")
        return self

    @model_validator(mode="after")
    def _eight_bits_of_known_layers(self) -> Manifest:
        if self.int8 and self.architecture == ONNX:
            raise ValueError("int8 is for the architectures whose layers are known, and not for onnx")
        return self

    @model_validator(mode="after")
    def _names_its_weights(self) -> Manifest:
        for name in self.weights:
            if name not in self.files:
                raise ValueError(f"files must name {name}")
        return self

    @property
    def weights(self) -> tuple[str, ...]:
        """Names of the files that hold its numbers."""
        return (GENDER_ONNX, AGE_ONNX) if self.architecture == ONNX else (TENSORS,)

    @property
    def digests(self) -> dict[str, str]:
        """Every file that belongs beside it, and the sha256 that it must have."""
        weights = {name: self.files[name].sha256 for name in self.weights}
        return {**weights, INT8: self.int8.sha256} if self.int8 else weights

    @property
    def sha256(self) -> str:
        """The identity of a bundle: digest of its tensors; of two files, that of their digests in hex."""
        digests = [self.files[name].sha256 for name in self.weights]
        return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()

    @property
    def reading(self) -> str:
        """What else decides the results: how faces are cropped, normalised and called, as JSON."""
        parts = {"input", "heads", "framing", "limits"} | ({"temperatures"} if self.temperatures else set())
        return self.model_dump_json(include=parts)


def locate_bundle(name_or_path: str, weights_dir: Path) -> Path:
    """Folder of a bundle, absolute.

    Args:
        name_or_path: a folder under `weights_dir`, or else a path; relative to the working folder, and
            `~` is somebody's home.
        weights_dir: holds bundles.

    Raises:
        ModelUnavailable: `bundle_not_found`, naming the places looked at, and the bundles there are.
    """
    places = [(weights_dir / name_or_path).absolute(), _by_path(name_or_path)]
    for place in places:
        try:
            if (place / MANIFEST).is_file():
                return place
        except OSError as error:
            # No permission, or no such thing as a name so long.
            raise ModelUnavailable(Code.BUNDLE_NOT_FOUND, f"{place / MANIFEST}: {error.strerror}") from error
    looked = " or ".join(str(place) for place in dict.fromkeys(places))
    message = f"no {MANIFEST} of bundle {name_or_path!r} in {looked}{_others(weights_dir)}"
    raise ModelUnavailable(Code.BUNDLE_NOT_FOUND, message)


def _others(weights_dir: Path) -> str:
    """Whose name could have been meant."""
    try:
        names = sorted(path_spelled_out(path.parent.name) for path in weights_dir.glob(f"*/{MANIFEST}"))
    except OSError:
        return ""
    return f"; there are {', '.join(names)} (`nightshift models list`)" if names else ""


def _by_path(path: str) -> Path:
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError:
        # Of a user there is not.
        return Path(path).absolute()


def locate_in_use(name_or_path: str, weights_dir: Path) -> Path | None:
    """Folder of the bundle in use, None where there is none (any more)."""
    try:
        return locate_bundle(name_or_path, weights_dir)
    except ModelUnavailable:
        return None


def read_manifest(folder: Path) -> Manifest:
    """Read and check a manifest.

    Raises:
        ModelUnavailable: `bundle_format`, naming the file, each field and what is wrong with it.
    """
    path = folder / MANIFEST
    try:
        with path.open("rb") as file:
            data = file.read(MANIFEST_BYTES + 1)
    except OSError as error:
        raise ModelUnavailable(Code.BUNDLE_FORMAT, f"{path}: {error.strerror}") from error
    try:
        if len(data) > MANIFEST_BYTES:
            raise ValueError(f"over {MANIFEST_BYTES:,} bytes")
        return Manifest.model_validate(json.loads(data.decode("utf-8")))
    except ValidationError as error:
        lines = "; ".join(f"{_place(e['loc'])}: {wrong(e)}" for e in error.errors()[:_ERRORS_NAMED])
        raise ModelUnavailable(Code.BUNDLE_FORMAT, f"{path}: {lines}") from error
    except RecursionError as error:
        raise ModelUnavailable(Code.BUNDLE_FORMAT, f"{path}: nested too deeply") from error
    except ValueError as error:
        raise ModelUnavailable(Code.BUNDLE_FORMAT, f"{path}: {error}") from error


def _place(location: tuple[int | str, ...]) -> str:
    parts = (str(part) for part in location)
    return ".".join(part if part.isprintable() else repr(part) for part in parts) or "manifest"


def sha256_of(path: Path) -> str:
    """Hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_verified_manifest(folder: Path) -> Manifest:
    """Read a manifest, and make sure that the weights beside it are those it names.

    Raises:
        ModelUnavailable: `bundle_format`; `bundle_not_found` without weights; `bundle_sha256`.
    """
    manifest = read_manifest(folder)
    for name, named in manifest.digests.items():
        path = folder / name
        try:
            digest = sha256_of(path)
        except OSError as error:
            raise ModelUnavailable(Code.BUNDLE_NOT_FOUND, f"{path}: {error.strerror}") from error
        if digest != named:
            raise ModelUnavailable(
                Code.BUNDLE_SHA256, f"{path} is not the file that its manifest names: it has sha256 {digest}"
            )
    return manifest
