"""What a client sends as JSON: strict, and every field known."""

from __future__ import annotations

from typing import Annotated, NoReturn

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput
from nightshift.words.wrong_values import wrong


def storable(text: str) -> str:
    """Text that every database and document can hold.

    Raises:
        ValueError: it holds a NUL, which PostgreSQL does not keep, or half a surrogate pair, which JSON may
            bring and which is no character.
    """
    if "\x00" in text or not is_unicode(text):
        raise ValueError("holds a NUL or half a surrogate pair")
    return text


def is_unicode(text: str) -> bool:
    """Whether it holds no half of a surrogate pair."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


Text = Annotated[str, AfterValidator(storable)]


class Body(BaseModel):
    """Base of JSON bodies; a field that is not known is refused, since it is likely misspelt.

    Strict: neither true nor "5" is a number, nor 1 a truth. A form, which brings text alone, says so when it
    validates.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def wrong_field(field: str, message: str) -> InvalidInput:
    """`invalid_fields` for the one that is wrong; the message goes on where its name ends."""
    problem = {"field": field, "message": message}
    return InvalidInput(Code.INVALID_FIELDS, f"{field}: {message}", errors=[problem])


def refuse_fields(error: ValidationError, inside: str | None = None, *, flat: bool = False) -> NoReturn:
    """Turn what pydantic found into an error that names each field.

    Args:
        error: pydantic's.
        inside: an object whose fields were sent without it, as a form's are.
        flat: whether fields have names alone, as a query's do: what is wrong in a list is the list.

    Raises:
        InvalidInput: `invalid_fields`.
    """
    found = ((item["loc"][:1] if flat else item["loc"], wrong(item)) for item in error.errors())
    fields = [
        {"field": _name(location, inside) or "body", "message": message}
        for location, message in dict.fromkeys(found)
    ]
    detail = "; ".join(f"{item['field']}: {item['message']}" for item in fields)
    raise InvalidInput(Code.INVALID_FIELDS, detail, errors=fields)


def _name(location: tuple[int | str, ...], inside: str | None) -> str:
    return ".".join(map(str, location[1:] if location[:1] == (inside,) else location))
