"""What a client asks of a server about the service itself: its weights, and whether it can work."""

from __future__ import annotations

from urllib.parse import quote

from nightshift.connection import Connection
from nightshift.errors import ApiError, Unreachable
from nightshift.words.health import Readiness
from nightshift.words.model_card import ModelCard
from nightshift.words.models import Model, ModelList


class ServiceCalls:
    """The part of `Calls` that is about no job."""

    _connection: Connection

    async def models(self) -> list[Model]:
        """The server's weights by name, broken ones with their error."""
        return (await self._connection.ask(ModelList, "GET", "/v1/models", again=True)).models

    async def model(self, name: str | Model, *, in_use: bool | None = None) -> ModelCard:
        """The card of weights: all that their manifest says, and what it leaves out.

        Args:
            name: of their folder, or one of `models`, of which two of a name are told apart.
            in_use: only those in use, or only others.
        """
        if isinstance(name, Model):
            in_use = name.in_use if in_use is None else in_use
            name = name.name
        query = {} if in_use is None else {"in_use": in_use}
        path = f"/v1/models/{quote(name, safe='')}"
        return await self._connection.ask(ModelCard, "GET", path, again=True, params=query)

    async def readiness(self) -> Readiness:
        """What the server says of its parts, ready or not; asked once, without retries."""
        answer = await self._connection.probe("/readyz")
        try:
            return Readiness.model_validate(answer.json())
        except ValueError as error:
            status = answer.status_code
            raise ApiError(status, f"http_{status}", f"/readyz was answered {status}") from error

    async def is_ready(self) -> bool:
        """True when the server can take jobs (its broker may be away); asked once, without retries."""
        try:
            await self._connection.send("GET", "/readyz", again=False)
        except (ApiError, Unreachable):
            return False
        return True
