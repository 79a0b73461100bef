"""Table and figure of the study, from its results that are there.

    python projects/does_training_help/summary.py work_dirs/study

Writes OUT/table.csv, OUT/table.md and OUT/figure.png. Intervals are from a
hierarchical bootstrap over seeds and images, see :func:`resample`.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.stats import norm, t

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mmpose_occlusion.benchmark.analysis.bootstrap import (
    Draws,
    difference,
    equivalence,
    estimate,
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

Jobs = dict[str, dict[str, Draws]]
"""Recipe -> seed -> measures."""


def read_results(folder: Path) -> dict[str, Jobs]:
    """Results by net."""
    nets: dict[str, Jobs] = {}
    known: dict[str, tuple] = {}
    for path in sorted(folder.glob('*.npz')):
        net, recipe, seed = path.stem.split('.')
        with np.load(path) as arrays:
            shape = arrays['AP'].shape
            key = shape, arrays['instance_ids'].tolist()
            first, same = known.setdefault(net, (path, key))
            if key != same:
                raise UsageError(
                    f'{first} and {path} are of different people or numbers '
                    'of draws, so they cannot be compared'
                )
            nets.setdefault(net, {}).setdefault(recipe, {})[seed] = {
                name: values.astype(float)
                for name, values in arrays.items()
                if values.shape == shape
            }
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
    several = [v[..., 0] for v in values.values() if len(v) > 1]
    freedom = sum(len(v) - 1 for v in several)
    pool = np.zeros((1, len(names)))
    if several:
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
    gaps = {
        (recipe, reference): difference(draws[recipe], draws[reference])
        for recipe in draws
        for reference in REFERENCES
        if reference in draws and recipe != reference
    }
    rows = []
    for (recipe, reference), gap, found in zip(
        gaps, gaps.values(), simultaneous([*gaps.values()], 2), strict=True
    ):  # there are many images
        for measure, e in found.items():
            value = estimate(draws[recipe][measure])
            row = dict(net=net, measure=measure, recipe=recipe)
            row |= dict(seeds=len(jobs[recipe]), value=value.value)
            row |= dict(value_low=value.low, value_high=value.high)
            row |= dict(reference=reference, difference=e.value)
            row |= dict(low=e.low, high=e.high, equality_p=None, equal=None)
            if measure == 'AP':
                equal = equivalence(gap[measure])
                row |= dict(equality_p=equal.p, equal=equal.equal)
            rows.append(row)
    return rows


def markdown(table: pd.DataFrame) -> str:
    """A table for each net and reference, of the measures shown."""
    out = []
    for (net, reference), mine in table.groupby(
        ['net', 'reference'], sort=False
    ):
        lines = [['recipe', 'seeds', *SHOWN.values()]]
        lines.append(['---'] * len(lines[0]))
        for (recipe, seeds), some in mine.groupby(
            ['recipe', 'seeds'], sort=False
        ):
            by = {row.measure: row for row in some.itertuples()}
            cells = [_cell(by[m]) if m in by else '' for m in SHOWN]
            lines.append([f'`{recipe}`', str(seeds), *cells])
        out += [f'{net}: differences to `{reference}`', '']
        out += [*(f'| {" | ".join(line)} |' for line in lines), '']
    return '\n'.join(out)


def _cell(row) -> str:
    """Difference and interval, bold where that excludes 0."""
    if np.isnan(row.difference):
        return 'undefined'
    text = f'{row.difference:+.3f}'
    if row.low > 0 or row.high < 0:
        text = f'**{text}**'
    if np.isfinite(row.low):
        text += f' ({row.low:+.3f} to {row.high:+.3f})'
    return text + (' equal' if row.equal else '')


def draw(table: pd.DataFrame, path: Path) -> None:
    """Forest plot of the differences, a panel for each measure."""
    table = table.dropna(subset=['low'])
    recipes = sorted(set(table.recipe), reverse=True)
    kinds = list(table.groupby(['net', 'reference'], sort=False))
    height = 0.8 + 0.12 * len(recipes) * len(kinds)
    fig = Figure((12.4, 2 * height))
    axes = fig.subplots(2, 4, sharey=True)
    for axis, (measure, title) in zip(axes.flat, SHOWN.items(), strict=True):
        axis.axvline(0, color='0.6', linewidth=0.8)
        for i, ((net, reference), mine) in enumerate(kinds):
            mine = mine[mine.measure == measure]
            shift = 0.6 * ((i + 0.5) / len(kinds) - 0.5)
            axis.errorbar(
                mine.difference,
                [recipes.index(recipe) + shift for recipe in mine.recipe],
                xerr=[mine.difference - mine.low, mine.high - mine.difference],
                fmt='os^D'[i % 4],
                color=f'C{i}',
                markersize=3.5,
                linewidth=1.2,
                label=f'{net}, minus {reference}',
            )
        axis.set_title(title, fontsize=9)
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
    table = pd.DataFrame(rows)
    table.to_csv(out / 'table.csv', index=False, float_format='%.4f')
    (out / 'table.md').write_text(markdown(table))
    draw(table, out / 'figure.png')
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
