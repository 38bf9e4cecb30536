"""Two ONNX networks, of gender and of age: read, checked, and made one OpenVINO model of crops to logits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.bundles.manifest import AGE_ONNX, GENDER_ONNX, Manifest, Temperatures
from worker.pipeline.architectures import min_age_outputs
from worker.pipeline.runtime import openvino_core

Model = Any
"""An `openvino.Model`; the package has no types."""

OFF_BY = 1e-3
"""How far from 1 the probabilities of a made crop may add up."""
_TINY = 1e-12
_PLAIN = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1, "ENABLE_CPU_PINNING": False}
_UNTOUCHED = Temperatures(gender=1, age=1)


@dataclass(frozen=True, slots=True, eq=False)
class OnnxNetworks:
    """Both networks, which share nothing.

    Attributes:
        gender: float32 [N, 3, s, s], normalised, to probabilities [N, 2].
        age: the same to [N, age_outputs], with an s of its own.
        age_outputs: outputs of the age network.
        tensor_count: of both.
    """

    gender: Model
    age: Model
    age_outputs: int
    tensor_count: int

    def let_go(self) -> None:
        """Nothing: OpenVINO's own copy is these."""


def read_networks(data: Mapping[str, bytes], manifest: Manifest) -> OnnxNetworks:
    """Read both, and have them answer a made crop.

    Args:
        data: the files' bytes by name. From memory: a network that refers to further files has none.
        manifest: of the bundle.

    Raises:
        ImportError: OpenVINO is not installed.
        ValueError: it names the file and what is wrong with it.
    """
    head = manifest.heads.age
    least = min_age_outputs(head)
    gender = _read(GENDER_ONNX, data[GENDER_ONNX], manifest.input.size)
    age = _read(AGE_ONNX, data[AGE_ONNX], manifest.input.size)
    if (outputs := _outputs(gender)) != 2:
        raise ValueError(f"{GENDER_ONNX} has {outputs} outputs, not 2")
    outputs = _outputs(age)
    if (outputs < least) if head.kind == "years" else (outputs != least):
        at_least = "at least " if head.kind == "years" else ""
        raise ValueError(
            f"{AGE_ONNX} has {outputs} outputs; an age head of {head.kind} has {at_least}{least}"
        )
    if head.by_gender:
        raise ValueError("an age head by gender has two sets of probabilities, and an ONNX network one")
    return OnnxNetworks(
        gender, age, outputs, sum(_is_tensor(op) for model in (gender, age) for op in model.get_ops())
    )


def to_logits(networks: OnnxNetworks, manifest: Manifest) -> Model:
    """Normalised crops, float32 [N, 3, S, S], to logits of gender and age side by side, [N, 2 + bins].

    A network that takes smaller pictures is shown the crop averaged down. The logits are the logarithms of
    the networks' probabilities over the manifest's temperatures.
    """
    import openvino as ov  # type: ignore[import-untyped]
    from openvino import opset1 as first_ops
    from openvino import opset14 as ops

    side, temperatures = manifest.input.size, manifest.temperatures or _UNTOUCHED
    images = ops.parameter([-1, 3, side, side], np.float32, name="images")
    logits = []
    for network, temperature in ((networks.gender, temperatures.gender), (networks.age, temperatures.age)):
        model = network.clone()
        factor = side // _side(model)
        window = [factor, factor]
        shown = images
        if factor > 1:
            shown = first_ops.avg_pool(images, window, [0, 0], [0, 0], window, True)
        for reader in model.input(0).get_target_inputs():
            reader.replace_source_output(shown.output(0))
        probabilities = ops.maximum(model.output(0).get_node().input_value(0), np.float32(_TINY))
        logits.append(ops.divide(ops.log(probabilities), np.float32(temperature)))
    return ov.Model([ops.concat(logits, 1)], [images])


def _read(name: str, data: bytes, side_px: int) -> Model:
    """One network of the right form."""
    try:
        model = openvino_core().read_model(data)
    except RuntimeError as error:
        raise ValueError(f"{name} is no ONNX network that OpenVINO reads: {_first_line(error)}") from error
    if (len(model.inputs), len(model.outputs)) != (1, 1):
        raise ValueError(
            f"{name} has {len(model.inputs)} inputs and {len(model.outputs)} outputs, not one each"
        )
    takes, gives = model.input(0), model.output(0)
    shape, side = takes.get_partial_shape(), 0
    fits = shape.rank.is_static and len(shape) == 4 and shape[0].is_dynamic and shape[1] == 3
    if fits and shape[2].is_static and shape[2] == shape[3]:
        side = shape[2].get_length()
    if not side or takes.get_element_type().get_type_name() != "f32":
        raise ValueError(f"{name} takes {_form(takes)}, not f32 [N, 3, s, s] with any N and one s")
    if side_px % side:
        raise ValueError(f"{name} takes {side} x {side} pixels, which a crop of {side_px} is no multiple of")
    shape = gives.get_partial_shape()
    fits = shape.rank.is_static and len(shape) == 2 and shape[1].is_static
    if not fits or gives.get_element_type().get_type_name() != "f32":
        raise ValueError(f"{name} gives {_form(gives)}, not f32 [N, classes]")
    _answer(name, model, side)
    return model


def _answer(name: str, model: Model, side: int) -> None:
    """Have it answer noise: logits look like probabilities, until they are added up."""
    crop = np.random.default_rng(0).normal(0, 0.3, (1, 3, side, side)).astype(np.float32)
    try:
        compiled = openvino_core().compile_model(model, "CPU", _PLAIN)
        found: NDArray[np.float32] = compiled(crop)[0]
    except RuntimeError as error:
        raise ValueError(f"{name} does not run: {_first_line(error)}") from error
    total = float(found.sum())
    if not (abs(total - 1) <= OFF_BY and float(found.min()) >= 0):
        raise ValueError(f"{name} does not give probabilities: those of a made crop add up to {total:.4f}")


def _is_tensor(op: Any) -> bool:
    """Whether it is one of its numbers, and no shape or axis."""
    return op.get_type_name() == "Constant" and bool(op.get_element_type().is_real())


def _side(model: Model) -> int:
    return int(model.input(0).get_partial_shape()[2].get_length())


def _outputs(model: Model) -> int:
    return int(model.output(0).get_partial_shape()[1].get_length())


def _form(port: Any) -> str:
    return f"{port.get_element_type().get_type_name()} {port.get_partial_shape()}"


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[-1].strip() if lines else type(error).__name__
