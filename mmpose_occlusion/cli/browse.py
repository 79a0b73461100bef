"""Look at the occlusions of the crops of any MMPose config.

    occlusion-browse CONFIG --out images
    occlusion-browse CONFIG --out images --split val --gt-boxes \\
        --attack part:random:blur

Without --attack the pipeline's own occlusions are shown, or the views of a
contrastive config. Writes sheet.png, a contact sheet, and gallery.html, a page
with every record.
"""

import argparse
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import arguments
from .run import run


@dataclass(frozen=True)
class BrowseOptions:
    """The command's options, see its help."""

    config: str
    out: str
    attack: list[str]
    split: str
    num: int
    seed: int
    gt_boxes: bool
    cfg_options: Mapping[str, Any]
    skip_unreadable: bool

    def command(self) -> str:
        """The command line that makes the same images."""
        words = ['occlusion-browse', self.config, '--out', self.out]
        for spec in self.attack:
            words += ['--attack', spec]
        words += ['--split', self.split, '--num', str(self.num)]
        words += ['--seed', str(self.seed)]
        if self.gt_boxes:
            words.append('--gt-boxes')
        if self.cfg_options:
            words.append('--cfg-options')
            words += [f'{k}={v}' for k, v in self.cfg_options.items()]
        return shlex.join(words)


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """The command's arguments."""
    parser = arguments.parser_of(__doc__, 'occlusion-browse')
    arguments.add_config(parser)
    parser.add_argument(
        '--out', required=True, metavar='DIR', help='folder of the images'
    )
    arguments.add_attacks(parser)
    parser.add_argument(
        '--split',
        choices=['train', 'val', 'test'],
        default='train',
        help='data and pipeline to use (default: %(default)s)',
    )
    parser.add_argument(
        '--num',
        type=arguments.whole_number(1),
        default=24,
        metavar='N',
        help='number of crops (default: %(default)s)',
    )
    arguments.add_seed(parser, 'the selection and all random draws')
    return parser.parse_args(argv)


def browse(options: BrowseOptions) -> None:
    """Build the crops, draw them, write the files."""
    import cv2

    from mmpose_occlusion.benchmark.report.write import together as staged
    from mmpose_occlusion.engine import crops, insertion
    from mmpose_occlusion.engine.config import load_config, metainfo_of
    from mmpose_occlusion.engine.data_files import check_data_files
    from mmpose_occlusion.engine.pipelines import attack_name
    from mmpose_occlusion.errors import UsageError
    from mmpose_occlusion.files import (
        check_replaceable,
        write_bytes,
        write_text,
    )
    from mmpose_occlusion.hooks.summary import outcomes, summarize
    from mmpose_occlusion.visualization import (
        PoseStyle,
        contact_sheet,
        gallery,
    )

    check_replaceable(options.out, ['sheet.png', 'gallery.html'])
    split = options.split
    cfg = load_config(options.config, options.cfg_options)
    attacks = insertion.read_attacks(cfg, options.attack)
    if options.gt_boxes:
        insertion.use_gt_boxes(cfg, split)
    cfg.work_dir = options.out
    check_data_files(cfg, split, False, options.skip_unreadable)
    dataset = crops.crop_dataset(cfg, split, attacks, options.seed)
    if not len(dataset):
        raise UsageError(f'the {split} data of "{options.config}" is empty')
    indices = crops.draw_indices(len(dataset), options.num, options.seed)
    views = list(crops.views(dataset, indices, options.seed))
    together = len({view.name for view in views})
    groups = [views[i : i + together] for i in range(0, len(views), together)]
    groups.sort(  # changed crops first, unmatched boxes last
        key=lambda group: (
            not any(view.is_changed for view in group),
            not any(view.labelled.any() for view in group),
        )
    )
    views = [view for group in groups for view in group]
    style = PoseStyle.from_metainfo(
        metainfo_of(cfg[f'{split}_dataloader']['dataset'])
    )
    names = [attack_name(each) for each in attacks]
    views_of: dict[str, list] = {view.name: [] for view in views}
    for view in views:
        views_of[view.name].append(view.records)
    counts = [
        line
        for name, records in views_of.items()
        for line in summarize(
            [outcomes(each) for each in records],
            names or _own_names(name, records),
            'Attack ' if names else '',
        )
    ]
    own = ', '.join(filter(None, views_of)) or "the pipeline's own occlusions"
    heading = f'{" + ".join(names) or own}, {split} data'
    facts = [Path(options.config).name, *counts]
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    image = contact_sheet(
        views, style, heading, together=together, facts=facts
    )
    _, data = cv2.imencode('.png', image[..., ::-1])
    page = gallery(views, style, heading, facts, options.command())
    # last, since the page has our mark
    with staged(out, last='sheet.png') as folder:
        write_text(folder / 'gallery.html', page)
        write_bytes(folder / 'sheet.png', data.tobytes())
    for line in counts:
        print(line)
    print(f'Wrote {out / "sheet.png"} and {out / "gallery.html"}')


def _own_names(view: str, crops: Sequence[Sequence[Mapping]]) -> list[str]:
    """Classes of the occlusions of a pipeline or of a view."""
    found = {r['call']: r['transform'] for crop in crops for r in crop}
    return [
        f'{view} {found.get(call, "occlusion")}'.lstrip()
        for call in range(1 + max(found, default=-1))
    ]


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    return run(browse, arguments.options_of(BrowseOptions, parse_args(argv)))


if __name__ == '__main__':
    sys.exit(main())
