"""JSON columns, written and read by pydantic's compiled serializer: some tens of values a photo pass here."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from pydantic_core import PydanticSerializationError, from_json, to_json


def written(value: Any) -> str:
    """JSON of a value of JSON's types, or of our dataclasses of them."""
    try:
        return to_json(value).decode()
    except PydanticSerializationError:
        # Half a surrogate pair, out of a broken file's name: JSON can say it, UTF-8 cannot.
        return json.dumps(value, default=asdict)


def read(text: str | bytes) -> Any:
    """The value, whoever wrote it."""
    try:
        return from_json(text)
    except ValueError:
        return json.loads(text)
