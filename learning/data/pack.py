"""A data set ready to be published: its files, and what archives ask to be told about them.

README.md begins with the metadata of a data set card of the Hugging Face Hub; ``.zenodo.json``
holds the metadata of a deposit at Zenodo; ``SHA256SUMS`` is checked by ``sha256sum -c``.
"""

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from opalux.base.files import write_text
from opalux.base.new_folder import new_folder
from opalux.base.progress import Progress
from opalux.base.yaml_text import to_yaml
from opalux.learning.data.card import NAME, Card
from opalux.learning.data.data_set import DataSet

SIZES = ((1e3, "n<1K"), (1e4, "1K<n<10K"), (1e5, "10K<n<100K"), (1e6, "100K<n<1M"))
"""The Hub's names for numbers of samples below a limit."""


def pack(data: DataSet, out: Path, *, creators: Sequence[str], license: str) -> None:
    """Copy a data set into the new folder ``out`` with its metadata, and close it.

    Parameters
    ----------
    data : to publish
    out : folder that does not exist or is empty; it is removed when something fails
    creators : names, as ``Family, Given``
    license : its SPDX name, such as CC-BY-4.0

    Raises
    ------
    InputError
        When the folder holds something.
    """
    data.close()
    files = [data.folder / NAME, data.folder / "stats.json", *sorted(data.folder.glob("part-*.h5"))]
    card = data.card
    with new_folder(out), Progress(f"packing {card.name}", len(files)) as progress:
        sums = []
        for path in files:
            shutil.copyfile(path, out / path.name)
            sums.append(f"{_digest(out / path.name)}  {path.name}\n")
            progress.advance()
        write_text(out / "SHA256SUMS", "".join(sums))
        write_text(out / "README.md", _readme(card, creators, license))
        write_text(out / ".zenodo.json", json.dumps(_zenodo(card, creators, license), indent=1))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _title(card: Card) -> str:
    return f"{card.name}: densities and their edge signals (2D grey P1 radiative transfer)"


def _description(card: Card) -> str:
    ny, nx = card.shape
    return (
        f"{card.splits.total} random densities of {nx} x {ny} cells ({', '.join(card.families)}) "
        f"and the signals {', '.join(card.quantities)} at the edges for {len(card.sources)} "
        f"sources, at {card.n_times} times."
    )


def _readme(card: Card, creators: Sequence[str], license: str) -> str:
    size = next((name for limit, name in SIZES if card.splits.total < limit), "n>1M")
    head = to_yaml(
        {
            "pretty_name": card.name,
            "license": license.lower(),
            "size_categories": [size],
            "tags": ["physics", "radiative-transfer", "inverse-problem", "hdf5"],
        }
    )
    splits = "\n".join(
        f"| {name} | {start} to {stop - 1} | {stop - start} |"
        for name in ("train", "validation", "test")
        for start, stop in [card.splits.bounds(name)]
        if stop > start
    )
    units = "\n".join(f"| {name} | {unit} |" for name, unit in card.units.items())
    axes = " x ".join(map(str, (len(card.sources), *card.signals_shape[1:])))
    return f"""---
{head}---

# {_title(card)}

{_description(card)} By {"; ".join(creators)}.

The equations: {card.equation}

## Files

`part-*.h5` hold

- `density` (n, {card.shape[0]}, {card.shape[1]}), row 0 = bottom;
- `signals` (n, {axes}) = (sample, source, edge, quantity, time, cell);
- `times`, `sample_id`, `family`, and more.

Sources: {", ".join(card.sources)}; edges: {", ".join(card.edges)};
quantities: {", ".join(card.quantities)} (F stands for |F|).

`{NAME}` is the card, from which every sample can be made again; `stats.json` holds means and
deviations of the training split. `sha256sum -c SHA256SUMS` checks all of them.

| Split | Samples | Number |
|---|---|---|
{splits}

| Quantity | Unit |
|---|---|
{units}

## Use

```python
import opalux

data = opalux.DataSet(".")
data.density(0), data.signals(0)
```

or, without Opalux, any program that reads HDF5.
"""


def _zenodo(card: Card, creators: Sequence[str], license: str) -> dict[str, Any]:
    return {
        "title": _title(card),
        "upload_type": "dataset",
        "description": f"<p>{_description(card)}</p>",
        "creators": [{"name": name} for name in creators],
        "license": license.lower(),
        "access_right": "open",
        "keywords": ["radiative transfer", "P1", "inverse problem"],
    }
