"""MTCNN's three networks with the weights that facenet-pytorch ships, each giving one tensor.

Their first output is the difference of the two logits: the face's probability is its sigmoid, which is
what the softmax of two comes to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import facenet_pytorch
import torch
from torch import nn

from nightshift.words.error_codes import Code
from nightshift.words.errors import ModelUnavailable
from worker.pipeline.runtime import Forward, RuntimeName, compiled

REFINE_SIDE, OUTPUT_SIDE = 24, 48


@dataclass(frozen=True, slots=True)
class Networks:
    """Ready to run. All take float32 as `worker.pipeline.detection.area` gives it.

    Attributes:
        propose: [N, 3, H, W] to [N, 5, h, w]: logit and four offsets of each 12 x 12 window, two apart.
        refine: [N, 3, 24, 24] to [N, 5]: logit and four offsets.
        output: [N, 3, 48, 48] to [N, 15]: logit, four offsets, five x and five y of landmarks.
    """

    propose: Forward
    refine: Forward
    output: Forward


def load_networks(device: torch.device, runtime: RuntimeName) -> Networks:
    """Read the packaged weights.

    Raises:
        ModelUnavailable: `detector_unavailable` when they cannot be read.
    """

    def ready(module: nn.Module, rows: int, columns: int) -> Forward:
        return compiled(module, (-1, 3, rows, columns), runtime=runtime, device=device)

    return Networks(
        ready(_propose(_load(facenet_pytorch.PNet, "pnet.pt")), -1, -1),
        ready(_refine(_load(facenet_pytorch.RNet, "rnet.pt")), REFINE_SIDE, REFINE_SIDE),
        ready(_output(_load(facenet_pytorch.ONet, "onet.pt")), OUTPUT_SIDE, OUTPUT_SIDE),
    )


def _propose(net: Any) -> nn.Module:
    body = [net.conv1, net.prelu1, net.pool1, net.conv2, net.prelu2, net.conv3, net.prelu3]
    head = nn.Conv2d(net.conv3.out_channels, 5, 1)
    return nn.Sequential(*body, _joined(head, net.conv4_1, net.conv4_2))


def _refine(net: Any) -> nn.Module:
    body = [net.conv1, net.prelu1, net.pool1, net.conv2, net.prelu2, net.pool2, net.conv3, net.prelu3]
    dense = [_reading_planes(net.dense4, net.conv3.out_channels), net.prelu4]
    head = nn.Linear(net.dense4.out_features, 5)
    return nn.Sequential(*body, nn.Flatten(), *dense, _joined(head, net.dense5_1, net.dense5_2))


def _output(net: Any) -> nn.Module:
    body = [net.conv1, net.prelu1, net.pool1, net.conv2, net.prelu2, net.pool2]
    body += [net.conv3, net.prelu3, net.pool3, net.conv4, net.prelu4]
    dense = [_reading_planes(net.dense5, net.conv4.out_channels), net.prelu5]
    head = nn.Linear(net.dense5.out_features, 15)
    return nn.Sequential(*body, nn.Flatten(), *dense, _joined(head, net.dense6_1, net.dense6_2, net.dense6_3))


def _joined(head: nn.Module, classes: nn.Module, *others: nn.Module) -> nn.Module:
    """One layer for the logits' difference and all other outputs."""
    with torch.no_grad():
        for name in ("weight", "bias"):
            no, yes = getattr(classes, name)
            parts = [(yes - no)[None], *(getattr(other, name) for other in others)]
            getattr(head, name).copy_(torch.cat(parts))
    return head


def _reading_planes(dense: nn.Linear, channels: int) -> nn.Linear:
    """A dense layer that reads [C, H, W]; the weights were trained on [W, H, C]."""
    side = round((dense.in_features / channels) ** 0.5)
    turned = dense.weight.view(-1, side, side, channels).permute(0, 3, 2, 1).flatten(1)
    dense.weight = nn.Parameter(turned.contiguous(), requires_grad=False)
    return dense


def _load(kind: Callable[..., nn.Module], name: str) -> nn.Module:
    # Not by the package's own loader: it leaves the choice of unpickling to torch's default.
    path = Path(facenet_pytorch.__file__).parent / "data" / name
    network = kind(pretrained=False)
    try:
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:
        raise ModelUnavailable(Code.DETECTOR_UNAVAILABLE, f"{path}: {error}") from error
    return network.eval().requires_grad_(False)
