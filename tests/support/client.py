"""Flask's client for tests, with answers whose JSON may be looked into."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse


class Answer(TestResponse):
    """What the API answered."""

    @property
    def json(self) -> Any:
        """The document, or None where there is none: each test says what it expects in it."""
        return self.get_json()


class Client(FlaskClient):
    """A client without keys; each method sends one request."""

    def __init__(self, app: Flask) -> None:
        super().__init__(app, Answer)

    def open(self, *args: Any, **request: Any) -> Answer:
        answer = super().open(*args, **request)
        assert isinstance(answer, Answer)
        return answer

    def get(self, *args: Any, **request: Any) -> Answer:
        return self.open(*args, **request, method="GET")

    def head(self, *args: Any, **request: Any) -> Answer:
        return self.open(*args, **request, method="HEAD")

    def post(self, *args: Any, **request: Any) -> Answer:
        return self.open(*args, **request, method="POST")

    def put(self, *args: Any, **request: Any) -> Answer:
        return self.open(*args, **request, method="PUT")

    def options(self, *args: Any, **request: Any) -> Answer:
        return self.open(*args, **request, method="OPTIONS")

    def patch(self, *args: Any, **request: Any) -> Answer:
        return self.open(*args, **request, method="PATCH")

    def delete(self, *args: Any, **request: Any) -> Answer:
        return self.open(*args, **request, method="DELETE")
