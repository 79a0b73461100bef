"""Table and figure of the study, from its results that are there.

    python projects/does_training_help/summary.py work_dirs/study

Writes OUT/table.csv, OUT/table.md and OUT/figure.png. Intervals are from a
hierarchical bootstrap over seeds and images, see :func:`resample`.
"""

import argparse
import csv
import sys
from pathlib import Path

import numpy as np
from scipy.stats import norm, t

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mmpose_occlusion.benchmark.analysis.bootstrap import (
    Draws,
    Estimate,
    difference,
    equivalence,
    estimates,
    simultaneous,
)
from mmpose_occlusion.errors import UsageError, report_error

REFERENCES = ('none', 'none-twice')
REPEATS = 10
"""Draws of seeds for each resampled set of images."""

SHOWN = {
    'AP': 'clean AP',
    'OKS v=1': 'natural v = 1, OKS per keypoint',
    'rPC': 'rPC, the suite',
    'OKS50 hidden': 'joint under object 20 %, OKS50',
    'confident wrong hidden': 'the same, confident and wrong',
    'decoy': 'attracted by black decoys',
    'drop on_person': 'fall, object elsewhere on person',
    'swaps': 'left-right swaps, clean',
}
"""Measures of the table and the figure; the CSV file has all."""

Jobs = dict[str, dict[int, Draws]]
"""Recipe -> seed -> measures."""

ROW = ('net', 'measure', 'recipe', 'seeds', 'value', 'value_low')
ROW += ('value_high', 'reference', 'difference', 'low', 'high')
ROW += ('equality_p', 'equal')


def read_results(folder: Path) -> dict[str, Jobs]:
    """Results by net."""
    nets: dict[str, Jobs] = {}
    known: dict[str, dict[tuple, Path]] = {}
    for path in sorted(folder.glob('*.npz')):
        net, recipe, seed = path.stem.split('.')
        with np.load(path) as arrays:
            key = (arrays['AP'].shape, arrays['instance_ids'].tobytes())
            known.setdefault(net, {}).setdefault(key, path)
            draws = {
                name: arrays[name].astype(float)
                for name in arrays
                if arrays[name].shape == arrays['AP'].shape
            }
        nets.setdefault(net, {}).setdefault(recipe, {})[int(seed)] = draws
    if not nets:
        raise UsageError(f'{folder} has no results: run study.py first')
    for paths in known.values():
        if len(paths) > 1:
            raise UsageError(
                'results are of different people or numbers of draws, so they '
                f'cannot be compared: {" and ".join(map(str, paths.values()))}'
            )
    return nets


def resample(jobs: Jobs, seed: int = 0) -> tuple[dict[str, Draws], int]:
    """Mean over the seeds of each recipe, resampled over seeds and images.

    A draw is the mean over a recipe's seeds on a resampled set of images, plus
    the mean of as many residuals as there are seeds. A residual is what a
    training differs from the mean of its recipe, on all images. Two or three
    seeds are too few to resample by themselves: residuals are pooled over the
    recipes, so one variance of seeds is assumed for all. Each is scaled by
    sqrt(n / (n - 1)), for the mean that is estimated from n seeds, and by the
    ratio of the 97.5 % points of Student's and the normal distribution.

    Returns:
        Recipe -> measure -> ``(1 + REPEATS B,)``; and the degrees of freedom
        of the seeds' variance. With 0 intervals are over images only.
    """
    generator = np.random.default_rng(seed)
    names = list(next(iter(next(iter(jobs.values())).values())))
    values = {
        recipe: np.array([[run[n] for n in names] for run in runs.values()])
        for recipe, runs in jobs.items()
    }  # (seeds, measures, 1 + B)
    freedom = sum(len(v) - 1 for v in values.values())
    pool = np.zeros((1, len(names)))
    if freedom:
        several = [v[..., 0] for v in values.values() if len(v) > 1]
        scaled = [
            (v - v.mean(axis=0)) * np.sqrt(len(v) / (len(v) - 1))
            for v in several
        ]
        pool = np.concatenate(scaled) * t.ppf(0.975, freedom)
        pool = pool / norm.ppf(0.975)
    out = {}
    for recipe, runs in values.items():
        mean = runs.mean(axis=0)
        drawn = np.tile(mean[:, 1:], REPEATS)
        which = generator.integers(len(pool), size=(drawn.shape[1], len(runs)))
        drawn = drawn + pool[which].mean(axis=1).T
        both = np.concatenate([mean[:, :1], drawn], axis=1)
        out[recipe] = dict(zip(names, both, strict=True))
    return out, freedom


def compare(net: str, jobs: Jobs) -> list[dict]:
    """Rows of the CSV file: each recipe's measures and their differences to
    both references, in simultaneous intervals over all recipes and references;
    two one-sided tests of AP."""
    draws, _ = resample(jobs)
    pairs = [
        (recipe, reference)
        for recipe in draws
        for reference in REFERENCES
        if reference in draws and recipe != reference
    ]
    gaps = [difference(draws[a], draws[b]) for a, b in pairs]
    found = simultaneous(gaps, images=2)  # read_results has many
    rows = []
    for (recipe, reference), gap, each in zip(pairs, gaps, found, strict=True):
        values = estimates(draws[recipe])
        for measure, e in each.items():
            row = [net, measure, recipe, len(jobs[recipe])]
            row += [*vars(values[measure]).values(), reference]
            row += vars(e).values()
            equal = equivalence(gap[measure]) if measure == 'AP' else None
            row += [equal.p, equal.equal] if equal else [None, None]
            rows.append(dict(zip(ROW, row, strict=True)))
    return rows


def write_csv(rows: list[dict], path: Path) -> None:
    """All measures, four decimals."""
    with open(path, 'w', newline='') as file:
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow(ROW)
        for row in rows:
            cells = row.values()
            writer.writerow(
                f'{v:.4f}' if isinstance(v, float) else v for v in cells
            )


def markdown(rows: list[dict]) -> str:
    """A table for each net and reference, of the measures shown."""
    shown = [r for r in rows if r['measure'] in SHOWN]
    names = [m for m in SHOWN if any(r['measure'] == m for r in shown)]
    head = ['recipe', 'seeds', *(SHOWN[name] for name in names)]
    out: list[str] = []
    for kind in dict.fromkeys((r['net'], r['reference']) for r in shown):
        mine = [r for r in shown if (r['net'], r['reference']) == kind]
        cells = [head, ['---'] * len(head)]
        for recipe in dict.fromkeys(r['recipe'] for r in mine):
            by = {r['measure']: r for r in mine if r['recipe'] == recipe}
            seeds = str(by[names[0]]['seeds'])
            line = [f'`{recipe}`', seeds, *(_cell(by[m]) for m in names)]
            cells.append(line)
        out += ['{}: differences to `{}`'.format(*kind), '']
        out += [*(f'| {" | ".join(line)} |' for line in cells), '']
    return '\n'.join(out)


def _cell(row: dict) -> str:
    """Difference and interval, bold where that excludes 0."""
    if row['difference'] is None:
        return 'undefined'
    text = f'{row["difference"]:+.3f}'
    if Estimate(row['difference'], row['low'], row['high']).is_real:
        text = f'**{text}**'
    if row['low'] is not None:
        text += f' ({row["low"]:+.3f} to {row["high"]:+.3f})'
    return text + (' equal' if row['equal'] else '')


def draw(rows: list[dict], path: Path) -> None:
    """Forest plot of the differences, a panel for each measure."""
    from matplotlib.figure import Figure

    recipes = sorted({r['recipe'] for r in rows}, reverse=True)
    kinds = list(dict.fromkeys((r['net'], r['reference']) for r in rows))
    shown = [m for m in SHOWN if any(r['measure'] == m for r in rows)]
    columns = min(4, len(shown))
    lines = -(-len(shown) // columns)
    height = 0.8 + 0.12 * len(recipes) * len(kinds)
    fig = Figure((3.1 * columns, lines * height))
    axes = fig.subplots(lines, columns, sharey=True, squeeze=False)
    for axis in axes.flat[len(shown) :]:
        axis.axis('off')
    for axis, measure in zip(axes.flat, shown, strict=False):
        axis.axvline(0, color='0.6', linewidth=0.8)
        for i, kind in enumerate(kinds):
            mine = [
                (r['difference'], r['low'], r['high'])
                + (recipes.index(r['recipe']),)
                for r in rows
                if (r['net'], r['reference'], r['measure']) == (*kind, measure)
                and r['low'] is not None
            ]
            x, low, high, y = np.reshape(mine, (-1, 4)).T
            axis.errorbar(
                x,
                y + 0.6 * ((i + 0.5) / len(kinds) - 0.5),
                xerr=[x - low, high - x],
                fmt='os^D'[i % 4],
                color=f'C{i}',
                markersize=3.5,
                linewidth=1.2,
                label='{}, minus {}'.format(*kind),
            )
        axis.set_title(SHOWN[measure], fontsize=9)
        axis.set_yticks(range(len(recipes)), recipes, fontsize=8)
        axis.tick_params(axis='x', labelsize=8)
    handles = axes[0, 0].get_legend_handles_labels()
    fig.legend(*handles, loc='lower center', ncols=len(kinds), fontsize=9)
    fig.tight_layout(rect=(0, 0.045, 1, 1))
    fig.savefig(path, dpi=90)


def summarise(out: Path) -> list[dict]:
    """Write the table and the figure of a study's folder; the rows."""
    rows = []
    for net, jobs in read_results(out / 'results').items():
        freedom = sum(len(s) - 1 for s in jobs.values())
        note = '' if freedom else ': intervals are over images only'
        print(f'{net}: seeds of', *(f'{r} {len(s)}' for r, s in jobs.items()))
        print(f'{freedom} degrees of freedom of the seeds{note}')
        rows += compare(net, jobs)
    if not rows:
        raise UsageError(
            f'{out / "results"} has nothing to compare: there must be results '
            'of two recipes, one of them "none" or "none-twice"'
        )
    write_csv(rows, out / 'table.csv')
    (out / 'table.md').write_text(markdown(rows))
    draw(rows, out / 'figure.png')
    return rows


def main(argv: list[str] | None = None) -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('out', type=Path, help='folder of the study')
    try:
        summarise(parser.parse_args(argv).out)
    except UsageError as error:
        return report_error(error, 2)
    return 0


if __name__ == '__main__':
    sys.exit(main())
