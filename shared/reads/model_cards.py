"""A bundle's card, out of its manifest, in which what nothing runs by may be anything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any, get_args

from nightshift.words import model_card as words
from nightshift.words.error_codes import Code
from nightshift.words.errors import Conflict, NotFound
from nightshift.words.models import ModelMetrics
from nightshift.words.plain_text import shortened
from shared.bundles.listing import ListedBundle
from shared.bundles.manifest import INT8, Manifest
from shared.reads.bundles import model, number, thresholds

MOST_LINES = 500
"""Of what a manifest says in its own words; the shipped ones have 30."""
_ABOUT_LENGTH = 200


def card_named(bundles: list[ListedBundle], name: str, in_use: bool | None = None) -> words.ModelCard:
    """The card of one of these bundles.

    Args:
        bundles: as `list_bundles` finds them.
        name: of its folder.
        in_use: whether it is the one in use; two of a name differ in that, since one of them lies elsewhere.

    Raises:
        NotFound: `model_not_found`.
        Conflict: `model_ambiguous`.
    """
    found = [each for each in bundles if each.folder.name == name and in_use in (None, each.in_use)]
    if not found:
        raise NotFound(Code.MODEL_NOT_FOUND, f"no weights {name}")
    if len(found) > 1:
        message = f"there are two bundles {name}, one in use and one not: `in_use` says which is meant"
        raise Conflict(Code.MODEL_AMBIGUOUS, message)
    return card(found[0])


def card(bundle: ListedBundle) -> words.ModelCard:
    """All that a manifest says; of a broken bundle, what is wrong with it."""
    listed = dict(model(bundle))
    manifest = bundle.manifest
    if manifest is None:
        return words.ModelCard(**listed)
    extra = manifest.model_extra or {}
    metrics, calibration = _object(extra.get("metrics")), _object(extra.get("calibration"))
    return words.ModelCard(
        **listed,
        architecture=manifest.architecture,
        age_by_gender=manifest.heads.age.by_gender,
        files=_files(manifest),
        measured=list(_measured(metrics)),
        thresholds=thresholds(manifest),
        gender_uncertain_at=list(manifest.heads.gender.uncertain_at),
        calibration=words.Calibration(
            gender=_calibrated(calibration.get("gender")), age_group=_calibrated(calibration.get("age_group"))
        ),
        eight_bits=_eight_bits(manifest),
        training=list(islice(_lines(extra.get("training")), MOST_LINES)),
        remarks=[
            *_remarks(metrics, "metrics"),
            *_remarks({"calibration": calibration}, ""),
        ],
        notices=list(islice(_lines(extra.get("notices"), whole=True), MOST_LINES)),
        not_said=[part for part in get_args(words.CardPart) if _is_left_out(manifest, part)],
    )


def _is_left_out(manifest: Manifest, part: words.CardPart) -> bool:
    if part == "thresholds":
        heads = (manifest.heads.gender, manifest.heads.age)
        return any("uncertain_below" not in head.model_fields_set for head in heads)
    if part in ("metrics", "calibration", "training"):
        return not (manifest.model_extra or {}).get(part)
    return part not in manifest.model_fields_set


def _files(manifest: Manifest) -> list[words.WeightsFile]:
    return [
        words.WeightsFile(
            name=name, sha256=digest, dtype=None if name == INT8 else manifest.files[name].dtype
        )
        for name, digest in manifest.digests.items()
    ]


def _eight_bits(manifest: Manifest) -> words.EightBits | None:
    said = manifest.int8
    if said is None:
        return None
    return words.EightBits(gender=said.gender, age_group=said.age_group, faces=_faces(said.model_extra or {}))


def _measured(metrics: dict[str, Any]) -> Iterator[words.Measured]:
    """Each set of faces; with `by`, of each its parts."""
    for on, told in metrics.items():
        if isinstance(told, dict):
            yield from _if_any(told, on=_text(on))
            for by, groups in _object(told.get("by")).items():
                for group, scores in islice(_object(groups).items(), MOST_LINES):
                    yield from _if_any(_object(scores), on=_text(on), by=_text(by), group=_text(group))


def _if_any(told: dict[str, Any], **named: str) -> Iterator[words.Measured]:
    numbers = {name: number(told.get(name)) for name in ModelMetrics.model_fields}
    if any(value is not None for value in numbers.values()):
        yield words.Measured(**numbers, **named, faces=_faces(told))


def _faces(told: dict[str, Any]) -> int | None:
    return _whole(told.get("faces", told.get("chips")))


def _calibrated(told: object) -> words.Calibrated:
    said = _object(told)
    within = {"within": _whole(said.get("within"))}
    floats = words.Calibrated.model_fields.keys() - within.keys()
    return words.Calibrated(**{name: number(said.get(name)) for name in floats}, **within)


def _remarks(told: dict[str, Any], about: str) -> Iterator[words.Line]:
    for name, said in told.items():
        comment = _object(said).get("comment")
        if isinstance(comment, str):
            path = ".".join(part for part in (about, _text(name)) if part)
            yield words.Line(about=path, text=_text(comment))


def _lines(told: object, *, whole: bool = False) -> Iterator[words.Line]:
    """Whatever JSON holds, leaf by leaf in its order; without recursion, since a stranger nested it."""
    waiting: list[tuple[str, object]] = [("", told)]
    while waiting:
        about, said = waiting.pop()
        match said:
            case None | "" | []:
                continue
            case dict():
                inner = [(_joined(about, str(name)), value) for name, value in said.items()]
                waiting.extend(reversed(inner))
            case list() if any(isinstance(each, dict | list) for each in said):
                waiting.extend(reversed([(_joined(about, str(at)), each) for at, each in enumerate(said, 1)]))
            case list():
                yield words.Line(about=about, text=_text(", ".join(map(_said, said)), whole))
            case _:
                yield words.Line(about=about, text=_text(_said(said), whole))


def _joined(about: str, name: str) -> str:
    joined = f"{about}.{name}" if about else name
    return _text(joined if len(joined) <= _ABOUT_LENGTH else f"{joined[:_ABOUT_LENGTH]} ...")


def _said(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _text(said: str, whole: bool = False) -> str:
    """As it is, but for halves of characters, which no answer can hold."""
    text: str = said if whole else shortened(said)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _whole(value: object) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53
    return value if is_count and isinstance(value, int) else None
