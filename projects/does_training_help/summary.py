"""The table and the figure of the study.

    python projects/does_training_help/summary.py work_dirs/study/results

writes differences.csv, table.md and differences.png beside the results.
"""

import csv
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmpose_occlusion.metrics.inference import (
    equivalence,
    simultaneous_intervals,
)

REFERENCES = ('none', 'none-twice')
MARGIN = 0.005
"""Of AP; a smaller difference counts as none."""
MEASURES = {
    'AP': 'clean AP',
    'OKS v=1': 'per-keypoint OKS, occluded in the images (v = 1)',
    'OKS50 hidden': 'OKS50 of joints under objects of 20 %',
    'rPC': 'rPC of the suite',
    'drop on_person': 'fall of OKS50, object on the person',
    'drop off_person': 'fall of OKS50, object off the person',
    'decoy': 'net attraction by decoys',
    'confident wrong': 'confident and wrong',
    'confident wrong hidden': 'confident and wrong, hidden joints',
    'swaps': 'left-right swaps',
}

Results = dict[tuple[str, str], dict[int, dict[str, np.ndarray]]]
"""(net, recipe) -> seed -> measure -> ``(1 + B,)`` values."""


@dataclass(frozen=True)
class Difference:
    """A recipe minus a reference in one measure of one net.

    Args:
        seeds: Number of seeds that both have.
        mean: Of the recipe, over these seeds.
        value, low, high: The difference and its interval, which holds for all
            recipes at once.
        equal: Whether two one-sided tests find less than :data:`MARGIN`; None
            for measures other than AP.
    """

    net: str
    recipe: str
    reference: str
    measure: str
    seeds: int
    mean: float
    value: float
    low: float
    high: float
    equal: bool | None


def read(files: Iterable[Path]) -> Results:
    """Results of jobs, files NET.RECIPE.SEED.npz."""
    found: Results = {}
    for path in files:
        net, recipe, seed = path.stem.split('.')
        with np.load(path) as arrays:
            mine = {name: arrays[name] for name in MEASURES}
        found.setdefault((net, recipe), {})[int(seed)] = mine
    return found


def differences(
    results: Results, net: str, reference: str, measure: str
) -> list[Difference]:
    """All recipes minus a reference.

    Seeds are paired: equal ones have equal first weights and orders of the
    data. A draw takes one resampled set of images for all trainings, and adds
    a normal deviate with the variance of the mean over seeds. That variance
    is pooled over the recipes, since each has two or three seeds.
    """
    base = results[net, reference]
    pairs, residuals, freedom = {}, 0.0, 0
    for (of, recipe), mine in results.items():
        seeds = sorted(mine.keys() & base.keys())
        if of != net or recipe == reference or not seeds:
            continue
        rows = np.array([mine[s][measure] - base[s][measure] for s in seeds])
        pairs[recipe] = rows, np.mean([mine[s][measure][0] for s in seeds])
        residuals += ((rows[:, 0] - rows[:, 0].mean()) ** 2).sum()
        freedom += len(seeds) - 1
    deviation = np.sqrt(residuals / freedom) if freedom else np.nan
    rng = np.random.default_rng(0)
    draws = []
    for rows, _ in pairs.values():
        noise = rng.standard_normal(rows.shape[1]) * deviation
        noise[0] = 0
        draws.append(rows.mean(axis=0) + noise / np.sqrt(len(rows)))
    ends = simultaneous_intervals(np.array(draws))
    out = []
    for (recipe, (rows, mean)), drawn, (low, high) in zip(
        pairs.items(), draws, ends, strict=True
    ):
        equal = measure == 'AP' and equivalence(drawn, MARGIN).equal
        numbers = map(float, (mean, drawn[0], low, high))
        out.append(
            Difference(
                *(net, recipe, reference, measure, len(rows)),
                *numbers,
                equal if measure == 'AP' else None,
            )
        )
    return sorted(out, key=lambda each: -each.value)


def all_differences(results: Results) -> list[Difference]:
    """Every net, reference and measure."""
    return [
        each
        for net in sorted({net for net, _ in results})
        for reference in REFERENCES
        if (net, reference) in results
        for measure in MEASURES
        for each in differences(results, net, reference, measure)
    ]


def table(found: list[Difference], net: str, reference: str) -> str:
    """Markdown: a row for each recipe; clear differences are bold."""
    mine = [d for d in found if (d.net, d.reference) == (net, reference)]
    cells = {(d.recipe, d.measure): d for d in mine}
    names = ['AP', 'OKS v=1', 'OKS50 hidden', 'rPC', 'confident wrong hidden']
    names.append('decoy')
    heads = ['minus ' + reference, 'seeds', *(MEASURES[n] for n in names)]
    lines = [heads, ['---'] * 2 + ['---:'] * len(names)]
    for recipe in [d.recipe for d in mine if d.measure == 'rPC']:
        row = [recipe, str(cells[recipe, 'AP'].seeds)]
        for name in names:
            d = cells[recipe, name]
            text = f'{d.value:+.3f} [{d.low:+.3f}, {d.high:+.3f}]'
            row.append(f'**{text}**' if d.low * d.high > 0 else text)
            row[-1] += ' =' if d.equal else ''
        lines.append(row)
    return ''.join(f'| {" | ".join(line)} |\n' for line in lines)


def draw(found: list[Difference], net: str, path: Path) -> None:
    """The differences to the first reference, a panel for each measure."""
    from matplotlib.figure import Figure

    mine = [d for d in found if (d.net, d.reference) == (net, REFERENCES[0])]
    order = [d.recipe for d in mine if d.measure == 'rPC'][::-1]
    names = ['AP', 'OKS v=1', 'OKS50 hidden', 'rPC']
    figure = Figure(figsize=(11, 4), layout='constrained')
    axes = figure.subplots(1, 4, sharey=True)
    for axis, name in zip(axes, names, strict=True):
        for d in (d for d in mine if d.measure == name):
            clear = d.low * d.high > 0
            axis.plot(
                [d.low, d.high],
                [order.index(d.recipe)] * 2,
                color='#0072B2' if clear else '#888888',
            )
            axis.plot(
                d.value,
                order.index(d.recipe),
                'o' if clear else 'D',
                color='#0072B2' if clear else '#888888',
                markersize=4,
            )
        axis.axvline(0, color='black', linewidth=0.8)
        axis.set_title(MEASURES[name].replace(', ', ',\n'), fontsize=9)
        axis.tick_params(labelsize=8)
        axis.grid(axis='x', linewidth=0.3)
    figure.axes[0].set_yticks(range(len(order)), order, fontsize=8)
    figure.supxlabel(f'minus "{REFERENCES[0]}", net {net}', fontsize=9)
    figure.savefig(path, dpi=90)


def main(argv: list[str]) -> int:
    """Write the files; returns the exit status."""
    if len(argv) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    folder = Path(argv[0])
    found = all_differences(read(sorted(folder.glob('*.npz'))))
    if not found:
        print(f'"{folder}" has no results of "none"', file=sys.stderr)
        return 1
    with (folder / 'differences.csv').open('w', newline='') as file:
        writer = csv.DictWriter(file, list(vars(found[0])))
        writer.writeheader()
        for each in found:
            row = vars(each)
            writer.writerow(
                {
                    k: f'{v:.4f}' if isinstance(v, float) else v
                    for k, v in row.items()
                }
            )
    nets = sorted({each.net for each in found})
    tables = [table(found, n, r) for n in nets for r in REFERENCES]
    (folder / 'table.md').write_text('\n'.join(tables))
    for net in nets:
        draw(found, net, folder / f'differences_{net}.png')
    print('\n'.join(tables))
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
