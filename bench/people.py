"""Freely licensed people for the demo: pictures that ship inside scikit-image and Gramps.

Nothing is downloaded, and nobody's face is in this repository. `PICTURES` names the source of each.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

from bench.samples import GROUND, astronaut

_GRAMPS = "share/doc/gramps/example/gramps"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture and who may use it.

    Attributes:
        file: in Gramps' example, "" for scikit-image's portrait.
        faces: x1 y1 x2 y2 in pixels, of each face.
        credit: title, author, licence and source, as its packages name them.
    """

    file: str
    faces: tuple[tuple[int, int, int, int], ...]
    credit: str


PICTURES = {
    "astronaut": Picture("", ((176, 64, 274, 189),), "Eileen Collins, NASA, public domain (scikit-image)"),
    "old man": Picture(
        "O0.jpg",
        ((586, 283, 1454, 1468),),
        "“Riga Old Man” by liber, CC BY-SA 2.0, "
        "https://www.flickr.com/photos/51035655291@N01/200858281 (Gramps)",
    ),
    "brothers": Picture(
        "O2.jpg",
        ((314, 443, 426, 596), (604, 837, 705, 973)),
        "“Brothers by Robert Boning (c.1870)” by pellethepoet, CC BY 2.0, "
        "https://www.flickr.com/photos/47201412@N02/12675131334 (Gramps)",
    ),
    "man": Picture(
        "O3.jpg",
        ((621, 250, 1296, 1104),),
        "“Portrait of a Canon-man” by mescon, CC BY 2.0, "
        "https://www.flickr.com/photos/23666014@N08/3790571906 (Gramps)",
    ),
    "photographer": Picture(
        "O4.jpg",
        ((208, 120, 347, 304),),
        "“Woman Photographer” by pedrosimoes7, CC BY 2.0, "
        "https://www.flickr.com/photos/46944516@N00/6872425924 (Gramps)",
    ),
    "couple": Picture(
        "O5.jpg",
        ((903, 544, 1071, 765), (594, 656, 733, 854)),
        "“Happy couple” by pedrosimoes7, CC BY 2.0, "
        "https://www.flickr.com/photos/46944516@N00/4198095383 (Gramps)",
    ),
}

GUESTS = tuple((name, number) for name, picture in PICTURES.items() for number in range(len(picture.faces)))
"""Everybody: a picture's name and the number of the face in it."""


@cache
def picture(name: str) -> Image.Image:
    """One of PICTURES as it is, RGB.

    Raises:
        FileNotFoundError: this Gramps ships its pictures elsewhere.
    """
    file = PICTURES[name].file
    if not file:
        return astronaut()
    for packaged in distribution("gramps").files or ():
        if packaged.as_posix().endswith(f"{_GRAMPS}/{file}"):
            return Image.open(Path(str(packaged.locate()))).convert("RGB")
    raise FileNotFoundError(f"gramps ships no {file}")


def portrait(name: str, number: int = 0, side_px: int = 400) -> Image.Image:
    """Head and shoulders of one face of a picture, square, as far as the picture shows them."""
    image = picture(name)
    x1, y1, x2, y2 = PICTURES[name].faces[number]
    half = min(0.95 * (y2 - y1), image.width / 2, image.height / 2)
    x = min(max((x1 + x2) / 2, half), image.width - half)
    y = min(max((y1 + y2) / 2 + 0.1 * (y2 - y1), half), image.height - half)
    box = (x - half, y - half, x + half, y + half)
    return image.resize((side_px, side_px), Image.Resampling.LANCZOS, box=box, reducing_gap=3)


def group(rows: int = 2, columns: int = 3, *, side_px: int = 400, first: int = 0) -> Image.Image:
    """A sheet of portraits, one guest after the other from `first` on."""
    sheet = Image.new("RGB", (columns * side_px, rows * side_px), GROUND)
    for index in range(rows * columns):
        row, column = divmod(index, columns)
        guest = portrait(*GUESTS[(first + index) % len(GUESTS)], side_px=side_px)
        sheet.paste(guest, (column * side_px, row * side_px))
    return sheet


def bystander(side_px: int = 1000) -> Image.Image:
    """A sharp portrait with somebody out of focus in the background."""
    image = picture("photographer").resize((side_px, side_px), Image.Resampling.LANCZOS)
    away = side_px // 4
    person = portrait("man", side_px=away).filter(ImageFilter.GaussianBlur(away / 50))
    edge = Image.new("L", person.size, 0)
    ImageDraw.Draw(edge).ellipse((away // 8, 0, away * 7 // 8, away), fill=255)
    image.paste(person, (side_px * 7 // 10, side_px // 8), edge.filter(ImageFilter.GaussianBlur(away / 20)))
    return image


def credits_text() -> str:
    """Where each picture comes from, as a text for the folder beside the demo's photos."""
    lines = [
        "The demo's photos are made from these pictures: cropped, mirrored, turned, dimmed, put together.",
        "",
        *(f"- {each.credit}" for each in PICTURES.values()),
        "- A cup of coffee, Rachel Michetti, CC0 (scikit-image)",
    ]
    return "\n".join(lines) + "\n"
