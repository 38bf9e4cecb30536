"""A bundle examined down to a forward pass, in a process of its own: this one never loads torch."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nightshift.embedded.environment import environment_of_children
from nightshift.exits import how_to_install, one_line
from nightshift.words.error_codes import Code
from nightshift.words.errors import ModelUnavailable, NightshiftError
from shared.bundles.manifest import MANIFEST, Manifest, read_verified_manifest
from shared.processes.command_lines import check_bundle_command
from shared.settings import REPOSITORY

CHECK_S = 600.0
"""Long enough for 1024 pixels on a busy machine; torch itself may take half a minute to load."""


@dataclass(frozen=True, slots=True)
class CheckedBundle:
    """A bundle that can be used.

    Attributes:
        folder: where it lies.
        manifest: as read.
        size_bytes: of its files.
        tensors: how many there are.
        age_outputs: outputs of the age head.
        crops: how many were classified.
    """

    folder: Path
    manifest: Manifest
    size_bytes: int
    tensors: int
    age_outputs: int
    crops: int

    def as_json(self) -> dict[str, Any]:
        """For a script."""
        manifest, heads = self.manifest, self.manifest.heads
        return {
            "name": manifest.name,
            "path": str(self.folder),
            "sha256": manifest.sha256,
            "architecture": manifest.architecture,
            "input_size": manifest.input.size,
            "gender_classes": list(heads.gender.classes),
            "age_kind": heads.age.kind,
            "age_by_gender": heads.age.by_gender,
            "age_outputs": self.age_outputs,
            "uncertain_below": {
                "gender": heads.gender.uncertain_below,
                "age_group": heads.age.uncertain_below,
            },
            "licence": manifest.licence,
            "commercial_use": manifest.commercial_use.model_dump(include={"allowed", "reason"}),
            "size_bytes": self.size_bytes,
            "tensors": self.tensors,
            "crops": self.crops,
        }


def check_folder(folder: Path) -> CheckedBundle:
    """Check manifest, digest and tensors, and that the network answers with probabilities.

    Raises:
        ModelUnavailable: `bundle_not_found`, `bundle_format`, `bundle_sha256`, `bundle_tensors`.
        NightshiftError: `check_failed`: the check itself was broken off.
    """
    if not (folder / MANIFEST).is_file():
        raise ModelUnavailable(Code.BUNDLE_NOT_FOUND, f"no {MANIFEST} in {folder}")
    manifest = read_verified_manifest(folder)
    found = _examined(folder.absolute())
    size_bytes = sum((folder / name).stat().st_size for name in (MANIFEST, *manifest.digests))
    return CheckedBundle(folder, manifest, size_bytes, **found)


def _examined(folder: Path) -> dict[str, int]:
    try:
        # Python imports from its working folder first: the user's may be what a stranger sent.
        done = subprocess.run(  # noqa: S603
            check_bundle_command(folder),
            cwd=REPOSITORY,
            env=environment_of_children(),
            capture_output=True,
            text=True,
            timeout=CHECK_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise NightshiftError(Code.CHECK_FAILED, f"{folder}: no answer within {CHECK_S:.0f} s") from error
    try:
        reply = json.loads(done.stdout.rstrip().split("\n")[-1])
    except (IndexError, ValueError) as error:
        raise NightshiftError(Code.CHECK_FAILED, f"{folder}: {_why(done)}") from error
    if wrong := reply.get("error"):
        raise ModelUnavailable(Code[wrong["code"].upper()], one_line(wrong["message"]))
    return {name: int(reply[name]) for name in ("tensors", "age_outputs", "crops")}


def _why(done: subprocess.CompletedProcess[str]) -> str:
    if done.returncode < 0:
        return f"the check was ended by signal {-done.returncode}; memory may be short"
    lines = done.stderr.strip().splitlines()
    last = one_line(lines[-1]) if lines else "it said nothing"
    if last.startswith("ModuleNotFoundError"):
        return f"checking needs a worker's installation: {how_to_install('worker')} ({last})"
    return f"the check ended with code {done.returncode}: {last}"
