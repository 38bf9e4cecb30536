"""The pipeline of a worker process, of which the networks are loaded at its start or when a photo needs them.

What was analysed before is taken over, and a file that is no picture fails, without any network: a run over
nothing else need not wait for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from nightshift.words.errors import NightshiftError
from nightshift.words.options import AnalysisOptions
from shared.bundles.in_use import bundle_in_use
from shared.settings import Settings

if TYPE_CHECKING:
    from nightshift.words.analysis import Analysis, PhotoError
    from worker.heartbeat import Progress
    from worker.pipeline.analyse import Pipeline
    from worker.pipeline.decoding.decode import DecodedPhoto


class NetworksWanted(BaseException):
    """A photo needs networks that are not loaded. Nobody may take it for a photo's error."""


class NotLoaded(Exception):
    """The networks cannot be loaded: this process is of no use.

    Attributes:
        reason: a code and a sentence.
    """

    def __init__(self, error: BaseException) -> None:
        if isinstance(error, NightshiftError):
            self.reason = f"{error.code}: {error.message}"
        else:
            self.reason = f"start_failed: {type(error).__name__}: {error}"
        super().__init__(self.reason)


class Networks:
    """Stands where the pipeline stands.

    Args:
        settings: of this process.
        build: imports what they run on, and loads them.

    Attributes:
        manifest: of their bundle.
        when_loaded: called once they are.

    Raises:
        ModelUnavailable: as `bundle_in_use`.
    """

    def __init__(self, settings: Settings, build: Callable[[Settings], Pipeline]) -> None:
        _, self.manifest = bundle_in_use(settings)
        self._settings = settings
        self._build = build
        self._pipeline: Pipeline | None = None
        self.when_loaded: Callable[[], None] = lambda: None

    @property
    def are_loaded(self) -> bool:
        """Whether a photo can be analysed without further waiting."""
        return self._pipeline is not None

    @property
    def on_cpu(self) -> bool:
        """Whether they run, if they do, on the cores that also read and decode."""
        return self._pipeline is None or self._pipeline.bundle.device == "cpu"

    def load(self) -> None:
        """Load them, unless they are. Not to be done under a lease: no photo is to blame for what happens.

        Raises:
            NotLoaded: they cannot be.
        """
        if self._pipeline is not None:
            return
        try:
            self._pipeline = self._build(self._settings)
        except BaseException as error:
            raise NotLoaded(error) from error
        self.when_loaded()

    def about(self) -> dict[str, Any]:
        """What is worth knowing of them; nothing before they are loaded."""
        if (pipeline := self._pipeline) is None:
            return {}
        return {
            "device": str(pipeline.bundle.device),
            "runtime": pipeline.classifier.runtime,
            "precision": pipeline.classifier.precision,
            "chosen_because": pipeline.chosen_because,
        }

    def decode(
        self, data: bytes, options: AnalysisOptions, admit: Callable[[int], None] = lambda _: None
    ) -> DecodedPhoto:
        """One photo's pixels; see `worker.pipeline.decoding.limits.Decoder`.

        Raises:
            Unreadable: likewise.
        """
        if self._pipeline is not None:
            return self._pipeline.decode(data, options, admit)
        from worker.pipeline.decoding.limits import Decoder

        return Decoder.under(self._settings)(data, options, admit)

    def analyse(
        self, photos: Iterable[DecodedPhoto], options: AnalysisOptions, progress: Progress
    ) -> list[Analysis | PhotoError]:
        """See `worker.pipeline.analyse.Pipeline.analyse`.

        Raises:
            NetworksWanted: there is a photo, and no network.
        """
        if self._pipeline is not None:
            return self._pipeline.analyse(photos, options, progress)
        for _ in photos:
            raise NetworksWanted
        return []
