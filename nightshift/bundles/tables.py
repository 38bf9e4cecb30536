"""Bundles as a person is shown them; what manifests say comes from strangers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from nightshift.bundles.check import CheckedBundle
from nightshift.exits import one_line
from nightshift.screen import cell
from nightshift.words.models import Model, ModelMetrics
from nightshift.words.plain_text import plain
from shared.bundles.listing import ListedBundle
from shared.reads.bundles import model

_AGES = {"years": "knows ages in years", "groups": "knows age groups only"}


def print_models(bundles: Iterable[ListedBundle], weights_dir: Path, console: Console) -> None:
    """Bundles by name, and by path those that lie elsewhere."""
    table = _table()
    for bundle in bundles:
        outside = bundle.folder.parent.resolve() != weights_dir.resolve()
        place = str(bundle.folder) if outside else bundle.folder.name
        table.add_row(Text(one_line(place)), _about(model(bundle)))
    console.print(table, highlight=False)


def print_checked(checked: CheckedBundle, console: Console) -> None:
    """What a bundle is that can be used."""
    manifest, heads = checked.manifest, checked.manifest.heads
    side, thresholds = manifest.input.size, (heads.gender.uncertain_below, heads.age.uncertain_below)
    by_gender = ", one set for each gender" if heads.age.by_gender else ""
    network = f"{manifest.features} features" if manifest.features else "two networks, no shared features"
    use = manifest.commercial_use
    rows = {
        "Bundle": plain(manifest.name),
        "Folder": plain(checked.folder),
        "sha256": manifest.sha256,
        "Network": f"{manifest.architecture}, {network}",
        "Input": f"{side} x {side} pixels",
        "Gender": plain(", ".join(heads.gender.classes)),
        "Age": f"{heads.age.kind}, {checked.age_outputs} outputs{by_gender}",
        "Uncertain": "under {:.2f} (gender), {:.2f} (age group)".format(*thresholds),
        "Licence": one_line(manifest.licence),
        "Commercial use": f"{use.allowed}: {one_line(use.reason)}",
        "Size": f"{checked.size_bytes / 1e6:.1f} MB",
        "Checked": f"manifest, digest, {checked.tensors} tensors, answers to {checked.crops} made crops",
    }
    table = _table()
    for what, value in rows.items():
        table.add_row(what, cell(value))
    console.print(table, highlight=False)


def _table() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", overflow="fold")
    table.add_column(overflow="fold")
    return table


def _about(bundle: Model) -> Text:
    used = ["in use"] if bundle.in_use else []
    if bundle.error:
        wrong = f"{one_line(bundle.error.message)} ({bundle.error.code})"
        return Text("; ".join([*used, wrong]), style="red")
    about = [*used, f"sha256 {(bundle.sha256 or '')[:12]}", f"{bundle.input_size} px"]
    about += [_AGES[bundle.age_kind or "years"], f"{bundle.size_bytes / 1e6:.1f} MB"]
    lines = ["; ".join(about), _measured(bundle.metrics), one_line(bundle.licence or "")]
    if use := bundle.commercial_use:
        lines.append(f"commercial use: {use.allowed} ({one_line(use.reason)})")
    if bundle.manifest_name != bundle.name:
        lines.insert(0, f"named {one_line(bundle.manifest_name or '')} in its manifest, and so in results")
    return Text("\n".join(line for line in lines if line))


def _measured(metrics: ModelMetrics) -> str:
    named = (("gender", metrics.gender), ("age group", metrics.age8), ("or the next one", metrics.near))
    parts = [f"{what} {share:.1%}" for what, share in named if share is not None]
    if metrics.mae is not None:
        parts.append(f"mean age error {metrics.mae:.1f} years")
    return f"validated: {', '.join(parts)}" if parts else "not validated, as far as its manifest says"
