"""One contender of the benchmark, as a process of its own.

    python -m bench.contender MODULE:CLASS

The first line on standard input is a `Setup`; the answer is `{"ready": ...}` once everything is loaded
and warm. Then each line `run` or `read` is answered by one line, a `Pass`, and the end of input ends it.
A contender that waits holds its memory and uses no core. Anything that goes wrong is said as
`{"error": ...}`, and ends it.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, cast

from bench.memory import peak_bytes
from bench.protocol import Flow, Pass, Setup


def serve(
    load: Callable[[Setup], Flow], lines: Iterable[str], answer: Callable[[dict[str, Any]], None]
) -> int:
    """Answer every line; the process's exit status."""
    try:
        lines = iter(lines)
        setup = Setup.from_json(json.loads(next(lines)))
        flow = load(setup)
        flow.warm_up(setup.photos[: setup.warm_up])
        answer({"ready": dict(flow.about)})
        for line in lines:
            gc.collect()
            answer(_passed(flow, line.strip(), setup).as_json())
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        reason = (str(error).splitlines() or [""])[0]
        answer({"error": f"{type(error).__name__}: {reason}"})
        return 1
    return 0


def _passed(flow: Flow, word: str, setup: Setup) -> Pass:
    if word not in ("run", "read"):
        raise ValueError(f"asked to {word!r}")
    found = flow.run(setup.photos) if word == "run" else flow.read(setup.photos)
    return found if found.peak_bytes else replace(found, peak_bytes=peak_bytes())


def main() -> int:
    """Load the named flow and serve it on standard input and output."""
    # What libraries print must not be taken for an answer.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def load(setup: Setup) -> Flow:
        module, _, name = sys.argv[1].partition(":")
        return cast(Flow, getattr(importlib.import_module(module), name)(setup))

    def answer(document: dict[str, Any]) -> None:
        print(json.dumps(document), file=answers, flush=True)

    return serve(load, sys.stdin, answer)


if __name__ == "__main__":
    sys.exit(main())
