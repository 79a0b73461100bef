"""Convert a checkpoint of the reference code to MMPose's format.

    python projects/tilting_at_windmills/convert_checkpoint.py \\
        pose_hrnet_w32_256x192.pth OUT.pth

Takes HRNet and SimpleBaseline (ResNet) checkpoints, bare or as written
during training, and recognises the model; every key must fit MMPose's. The
file is read without running any code in it. tools/test.py also takes such
checkpoints directly.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / 'tools'))

import _cli


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=_cli.HelpFormatter
    )
    parser.add_argument('source', metavar='IN', help='checkpoint file or URL')
    parser.add_argument('target', metavar='OUT', help='file to write')
    parser.add_argument(
        '--force', action='store_true', help='replace OUT if it exists'
    )
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> None:
    """Read, convert, write, print a summary."""
    from reference_checkpoints import convert, save, summarize

    from mmpose_occlusion.checkpoints import load_checkpoint_safely
    from mmpose_occlusion.errors import UsageError

    if Path(args.target).exists() and not args.force:
        raise UsageError(
            f'checkpoint "{args.target}" exists: add --force to replace it, '
            'or choose another name'
        )
    converted = convert(load_checkpoint_safely(args.source), args.source)
    save(converted, args.target)
    print('\n'.join(summarize(converted, args.target)))


def main(argv: list[str] | None = None) -> int:
    """Run the tool; returns the exit status."""
    return _cli.run(run, parse_args(argv))


if __name__ == '__main__':
    sys.exit(main())
