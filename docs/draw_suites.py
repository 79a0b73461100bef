"""Draw docs/benchmark_suites.png from synthetic people.

python projects/synthetic_people/make.py
python docs/draw_suites.py
"""

import sys

import draw_attacks  # which puts tools/ on the path
from draw_attacks import ROOT, is_all_seen, people_in_crops

JOINT = 'left_knee'
ROWS = ('paints', 'severity', 'controls')
COLUMNS = 9


def draw(args: object) -> None:
    """One row for each suite: the same person under its attacks."""
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from mmpose.registry import TRANSFORMS

    from mmpose_occlusion.benchmark.suite import load_suite
    from mmpose_occlusion.skeleton import Skeleton

    crops = people_in_crops()
    skeleton = Skeleton.from_metainfo(crops.metainfo)
    people = [i for i in range(len(crops)) if is_all_seen(crops[i])]
    with mpl.rc_context({'font.size': 6}):
        figure = Figure(figsize=(1.5 * COLUMNS, 2.2 * len(ROWS)))
        grid = figure.subplots(len(ROWS), COLUMNS)
        for axis in grid.flat:
            axis.axis('off')
        for row, suite, person in zip(grid, ROWS, people, strict=False):
            configs = [a.config for a in load_suite(suite, skeleton)]
            targets = ('random', JOINT, 'nose', 'right_wrist')
            chosen = [c for t in targets for c in configs if c['target'] == t]
            for axis, config in zip(row, chosen, strict=False):
                # of all joints that a seed may draw, show the same one
                attack = TRANSFORMS.build(
                    dict(config, seed=1, target=JOINT)
                    if config['target'] == 'random'
                    else dict(config, seed=1)
                )
                results = attack(crops[person])
                axis.imshow(results['img'][..., ::-1])
                axis.set_title(_title(suite, config), family='monospace')
        figure.tight_layout(pad=0.3)
        figure.savefig(ROOT / 'docs/benchmark_suites.png', dpi=75)


def _title(suite: str, config: dict) -> str:
    if suite == 'severity':
        return config['size']
    if suite == 'paints':
        return config['fill']
    return f'{config["target"]} {config.get("place", "")}'


if __name__ == '__main__':
    sys.exit(draw_attacks._cli.run(draw, None))
