"""Builds the page: types from the API's description, texts of codes, and the bundle that the API serves.

`python -m docs.page_built` writes them, with node and npm; with `--check` it builds elsewhere and says
whether the committed files are the same, byte for byte. Where there is no node nothing is checked, but in CI.
"""

from __future__ import annotations

import filecmp
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from api.app import create_app
from docs.errors_page import explained
from nightshift.words import pairs, signatures, what_is_taken
from nightshift.words.error_codes import JOB_ERROR_CODES, PHOTO_ERROR_CODES, Code
from nightshift.words.errors import Fails
from shared.settings import REPOSITORY, Settings

PAGE = REPOSITORY / "api" / "page"
MADE = PAGE / "src" / "made"
BUILT = PAGE / "built"


def description() -> dict[str, Any]:
    """The API's description as OpenAPI 3.1, which openapi-typescript reads."""
    with tempfile.TemporaryDirectory() as home:
        app = create_app(Settings(home=Path(home)))
        answer = app.test_client().get("/openapi-3.1.json")
    document: dict[str, Any] = answer.get_json()
    return document


def codes() -> str:
    """What each code that a photo or a job may end with means, and what to do, for the page."""
    said = explained(Code)
    shown = {code: said[code] for code in Code if code in {*PHOTO_ERROR_CODES, *JOB_ERROR_CODES}}
    lasting = [code for code in shown if code.fails == Fails.PHOTO]
    lines = [f"  {code}: {json.dumps(texts, ensure_ascii=False)}," for code, texts in shown.items()]
    return "\n".join(
        [
            "// Made by docs/page_built.py from nightshift/words/error_codes.py: meaning, and what to do.",
            f"export type Code = {' | '.join(json.dumps(code) for code in shown)};\n",
            "export const codes: Record<Code, readonly [string, string]> = {",
            *lines,
            "};\n",
            "/** Of these the same bytes fail again. */",
            f"export const lasting: ReadonlySet<string> = new Set({json.dumps(lasting)});\n",
        ]
    )


def taken() -> str:
    """The words of the rule of what is taken for a photo, for the page."""
    starts = [start for start, sort, _ in signatures.AT_THE_START if sort in ("picture", "raw")]
    brands = sorted({*signatures.HEIF, *signatures.AVIF, b"crx "})
    rule = {
        "extensions": sorted(what_is_taken.EXTENSIONS),
        "raw": sorted(what_is_taken.RAW_EXTENSIONS),
        "shown": sorted(pairs.SHOWN),
        "traces": sorted(what_is_taken.TRACES),
        "system": sorted(what_is_taken.SYSTEM),
        "libraries": list(what_is_taken.LIBRARIES),
        "originals": sorted(what_is_taken.ORIGINALS),
        "previewFolders": list(what_is_taken.PREVIEW_FOLDERS),
        "previewPairs": ["/".join(pair) for pair in sorted(what_is_taken.PREVIEW_PAIRS)],
        "cameraPreviews": sorted(what_is_taken.CAMERA_PREVIEWS),
        "starts": [start.decode("latin-1") for start in (*starts, *signatures.TIFF)],
        "brands": [brand.decode("ascii") for brand in brands],
        "bitmapHeaders": sorted(signatures.BITMAP_HEADERS),
    }
    lines = [f"  {name}: {json.dumps(words)}," for name, words in rule.items()]
    source = "nightshift/words/what_is_taken.py, pairs.py and signatures.py"
    return "\n".join(
        [f"// Made by docs/page_built.py from {source}.", "export const rule = {", *lines, "} as const;\n"]
    )


def build(made: Path, built: Path) -> None:
    """Write the made sources and the bundle into these folders."""
    made.mkdir(parents=True, exist_ok=True)
    (made / "codes.ts").write_text(codes(), encoding="utf-8")
    (made / "taken.ts").write_text(taken(), encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        document = Path(folder) / "openapi.json"
        document.write_text(json.dumps(description()), encoding="utf-8")
        _run("node_modules/.bin/openapi-typescript", str(document), "--output", str(made / "api.ts"))
    _run("node_modules/.bin/tsc", "--project", ".")
    _run("node", "build.mjs", str(built))


def _run(*command: str) -> None:
    done = subprocess.run(command, cwd=PAGE, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise SystemExit(f"{command[0]} failed:\n{done.stdout}{done.stderr}")


def _install() -> None:
    """The exact versions of package-lock.json, unless they are there."""
    stamp, lock = PAGE / "node_modules" / ".package-lock.json", PAGE / "package-lock.json"
    if not stamp.exists() or stamp.stat().st_mtime < lock.stat().st_mtime:
        _run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")


def _differing(wanted: Path, there: Path) -> list[str]:
    """Names of files that are not the same in both folders."""
    names = sorted({path.name for folder in (wanted, there) for path in folder.iterdir()})
    _, differ, missing = filecmp.cmpfiles(wanted, there, names, shallow=False)
    return sorted({*differ, *missing})


def main() -> int:
    """0 when the page is, or has been made, up to date."""
    only_look = "--check" in sys.argv[1:]
    if shutil.which("node") is None or shutil.which("npm") is None:
        is_wanted = not only_look or os.environ.get("CI", "").lower() in {"1", "true"}
        print("the page is not built: node and npm are missing (tests/install_programs.sh)", file=sys.stderr)  # noqa: T201
        return int(is_wanted)
    _install()
    if not only_look:
        build(MADE, BUILT)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        made, built = Path(folder) / "made", Path(folder) / "built"
        build(made, built)
        behind = [*_differing(made, MADE), *_differing(built, BUILT)]
    if behind:
        print(f"the page is behind its sources ({', '.join(behind)}): run `make page`", file=sys.stderr)  # noqa: T201
    return int(bool(behind))


if __name__ == "__main__":
    raise SystemExit(main())
