"""The bundle that the settings name, and whether they let it be used."""

from __future__ import annotations

from pathlib import Path

from nightshift.words.error_codes import Code
from nightshift.words.errors import ModelUnavailable
from shared.bundles.manifest import ONNX, Manifest, locate_bundle, read_manifest, read_verified_manifest
from shared.settings import Settings


def bundle_in_use(settings: Settings, *, verified: bool = False) -> tuple[Path, Manifest]:
    """Its folder and its manifest, before anything is begun with it.

    Args:
        settings: name it, and say what may be used, and on which device.
        verified: whether its files are held against the manifest's digests, too.

    Raises:
        ModelUnavailable: `bundle_not_found`, `bundle_format`, `bundle_sha256`; `commercial_use_not_allowed`;
            `device_unavailable` and `runtime_unavailable` where it cannot run on what is asked for.
    """
    folder = locate_bundle(settings.bundle, settings.weights_dir)
    manifest = (read_verified_manifest if verified else read_manifest)(folder)
    require_allowed(manifest, settings)
    require_device(manifest, settings.device)
    if manifest.architecture == ONNX and settings.runtime == "torch":
        raise ModelUnavailable(
            Code.RUNTIME_UNAVAILABLE,
            f"runtime torch was asked for; {_onnx(manifest)}: NIGHTSHIFT_RUNTIME=auto",
        )
    return folder, manifest


def require_allowed(manifest: Manifest, settings: Settings) -> None:
    """Make sure that a business may use the weights, where the settings ask for that.

    Raises:
        ModelUnavailable: `commercial_use_not_allowed`.
    """
    use = manifest.commercial_use
    if settings.require_commercial_use and use.allowed != "yes":
        raise ModelUnavailable(
            Code.COMMERCIAL_USE_NOT_ALLOWED,
            f"NIGHTSHIFT_REQUIRE_COMMERCIAL_USE is set, and commercial use of the weights {manifest.name} is"
            f" {use.allowed!r}: {use.reason}",
        )


def require_device(manifest: Manifest, device: str) -> None:
    """Make sure that the weights can run on a device, `auto`, `cpu`, `cuda` or `cuda:N`.

    Raises:
        ModelUnavailable: `device_unavailable`.
    """
    if manifest.architecture == ONNX and device.startswith("cuda"):
        raise ModelUnavailable(
            Code.DEVICE_UNAVAILABLE,
            f"device {device} was asked for; {_onnx(manifest)}: NIGHTSHIFT_DEVICE=cpu, or auto",
        )


def _onnx(manifest: Manifest) -> str:
    return f"the ONNX networks of {manifest.name} run by OpenVINO, and on the CPU alone"
