"""What makes an answer readable when its server is newer than its client, or older.

Fields that the client does not know are kept; a word that it does not know, such as another state, is text;
and a field that an older server does not send has a default. The schema says none of this: this server sends
every field, and no other words.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import CoreSchema

from nightshift.words.analysis import PhotoError
from nightshift.words.options import JobOptions


class _KnownWords:
    """Has the schema name the known words alone."""

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """The first of a union."""
        schema: dict[str, Any] = handler(core_schema)["anyOf"][0]
        return schema


Words = TypeVar("Words")

Known = Annotated[Words | str, Field(union_mode="left_to_right"), _KnownWords()]
"""One of these words, or text where a newer server says another."""


def _lenient_options(value: Any, handler: ValidatorFunctionWrapHandler) -> JobOptions:
    # What a job was made with is shown, whatever this version's bounds are.
    try:
        return handler(value)  # type: ignore[no-any-return]
    except ValidationError:
        if not isinstance(value, dict):
            raise
        return JobOptions.model_construct(**value)


def _lenient_error(value: Any, handler: ValidatorFunctionWrapHandler) -> PhotoError:
    # Here its words are held to the known ones by their types; a newer server has others.
    try:
        return handler(value)  # type: ignore[no-any-return]
    except ValidationError:
        names = {field.name for field in fields(PhotoError)}
        if not (isinstance(value, dict) and {"code", "stage", "message"} <= value.keys()):
            raise
        return PhotoError(**{name: told for name, told in value.items() if name in names})


LenientOptions = Annotated[JobOptions, WrapValidator(_lenient_options)]
LenientError = Annotated[PhotoError, WrapValidator(_lenient_error)]


class Document(BaseModel):
    """Base of the answers."""

    model_config = ConfigDict(frozen=True, extra="allow", json_schema_serialization_defaults_required=True)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler, /
    ) -> dict[str, Any]:
        """The schema of what this server sends: every field, and no others."""
        reference = handler(core_schema)
        schema = handler.resolve_ref_schema(reference)
        schema.pop("additionalProperties", None)
        for field in schema["properties"].values():
            field.pop("default", None)
        return reference
