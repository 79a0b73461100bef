"""Look at what occlusions do to the crops of any MMPose config.

    python tools/browse_occlusions.py CONFIG --out pictures
    python tools/browse_occlusions.py CONFIG --out pictures --split val \\
        --gt-boxes --attack part:random:blur

Without --attack the occlusions of the pipeline itself are shown, or those of
the views of a contrastive config. Writes sheet.png, a contact sheet, and
gallery.html, a page with every record.
"""

import argparse
import shlex
import sys
from pathlib import Path

import _cli


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """The tool's arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=_cli.HelpFormatter
    )
    _cli.add_config(parser)
    parser.add_argument(
        '--out', required=True, metavar='DIR', help='folder of the pictures'
    )
    _cli.add_attacks(parser)
    parser.add_argument(
        '--split',
        choices=['train', 'val', 'test'],
        default='train',
        help='data and pipeline to take (default: train)',
    )
    parser.add_argument(
        '--num',
        type=int,
        default=24,
        metavar='N',
        help='number of crops (default: 24)',
    )
    parser.add_argument(
        '--seed',
        type=int,
        default=0,
        metavar='N',
        help='which crops, and all that is random (default: 0)',
    )
    return parser.parse_args(argv)


def browse(args: argparse.Namespace) -> None:
    """Build the crops, draw them, write the files."""
    import mmcv

    from mmpose_occlusion.engine import attack, checks, crops
    from mmpose_occlusion.engine.config import load_config, metainfo_of
    from mmpose_occlusion.errors import UsageError
    from mmpose_occlusion.hooks.summary import outcomes, summarize
    from mmpose_occlusion.visualization import (
        PoseStyle,
        contact_sheet,
        gallery,
    )

    if args.num < 1:
        raise UsageError(f'--num {args.num} must be 1 or more')
    cfg = load_config(args.config, args.cfg_options)
    attacks = attack.read_attacks(cfg, args.attack)
    if args.gt_boxes:
        attack.use_gt_boxes(cfg, args.split)
    checks.check_data_files(cfg, args.split, evaluator=False)
    dataset = crops.crop_dataset(cfg, args.split, attacks, args.seed)
    if not len(dataset):
        raise UsageError(f'the {args.split} data of "{args.config}" is empty')
    indices = crops.draw_indices(len(dataset), args.num, args.seed)
    views = list(crops.views(dataset, indices, args.seed))
    style = PoseStyle.from_metainfo(
        metainfo_of(cfg[f'{args.split}_dataloader']['dataset'])
    )
    names = [attack.attack_name(each) for each in attacks]
    views_of = {view.name: [] for view in views}
    for view in views:
        views_of[view.name].append(outcomes(view.records))
    counts = [
        line
        for name, done in views_of.items()
        for line in summarize(done, names, name)
    ]
    own = ', '.join(filter(None, views_of)) or "the pipeline's own occlusions"
    what = ' + '.join(names) or own
    heading = f'{what}, {args.split} data'
    facts = [Path(args.config).name, *counts]
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    picture = contact_sheet(
        views, style, heading, together=len(views_of), facts=facts
    )
    mmcv.imwrite(picture[..., ::-1], str(out / 'sheet.png'))
    (out / 'gallery.html').write_text(
        gallery(views, style, heading, facts, command(args)), encoding='utf-8'
    )
    for line in counts:
        print(line)
    print(f'Wrote {out / "sheet.png"} and {out / "gallery.html"}')


def command(args: argparse.Namespace) -> str:
    """The command line that makes the same pictures."""
    words = ['tools/browse_occlusions.py', args.config, '--out', args.out]
    for spec in args.attack:
        words += ['--attack', spec]
    words += ['--split', args.split, '--num', str(args.num)]
    words += ['--seed', str(args.seed)]
    if args.gt_boxes:
        words.append('--gt-boxes')
    if args.cfg_options:
        words.append('--cfg-options')
        words += [f'{k}={v}' for k, v in args.cfg_options.items()]
    return shlex.join(['python', *words])


def main(argv: list[str] | None = None) -> int:
    """Run the tool; returns the exit status."""
    return _cli.run(browse, parse_args(argv))


if __name__ == '__main__':
    sys.exit(main())
