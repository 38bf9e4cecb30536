"""A worker that begins before it is known what for: it imports what it will need, and waits to be told.

    python -m worker.early FD

Through the descriptor comes JSON: `environment`, the variables that it lacks; `arguments`, its command line
from the module's name on; `log`, the file for its output. Where nothing comes, no worker is wanted.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
from importlib import import_module

_NEEDED = (
    *("celery.apps.worker", "celery.bin.celery", "celery.concurrency.prefork", "celery.worker.consumer"),
    *("worker.main", "worker.parts", "worker.registration", "worker.slice"),
    *("worker.pipeline.analyse", "worker.pipeline.warm_up"),
)
"""Neither torch nor OpenVINO, nor anything else that does not survive a fork.

Elsewhere each process of a worker imports the pipeline for itself: whatever becomes of that, their parent
lives to say it. Of this one the runner sees that it has ended, and starts another worker.
"""


def main(fd: int) -> None:
    """Import, wait, and become that worker."""
    with os.fdopen(fd, "rb") as told:
        for module in _NEEDED:
            import_module(module)
        from worker.pipeline.kernels import prepare

        prepare()
        words = told.read()
    if not words:
        return
    wanted = json.loads(words)
    log = os.open(wanted["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for output in (1, 2):
        os.dup2(log, output)
    os.close(log)
    os.environ.update(wanted["environment"])
    sys.argv = wanted["arguments"]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
