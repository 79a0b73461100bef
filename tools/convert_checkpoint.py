"""Convert a checkpoint of the reference code to MMPose's format.

    python tools/convert_checkpoint.py pose_hrnet_w32_256x192.pth OUT.pth

Takes HRNet and SimpleBaseline (ResNet) checkpoints, bare or as written
during training, and finds out by itself which model they hold: nothing is
converted that does not fit MMPose's model key for key. The file is read
without running any code in it.
"""

import argparse
import sys

import _cli


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """The tool's arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=_cli.HelpFormatter
    )
    parser.add_argument('source', metavar='IN', help='checkpoint file or URL')
    parser.add_argument('target', metavar='OUT', help='file to write')
    parser.add_argument(
        '--weights',
        choices=['auto', 'best', 'last'],
        default='auto',
        help='of a file that holds both "best_state_dict" and "state_dict": '
        'which to take (default: the best, if it is there)',
    )
    parser.add_argument(
        '--force', action='store_true', help='replace OUT if it exists'
    )
    return parser.parse_args(argv)


def convert(args: argparse.Namespace) -> None:
    """Read, convert, write, tell."""
    from mmpose_occlusion import checkpoints

    checkpoints.check_target(args.target, args.force)
    converted = checkpoints.convert_file(args.source, args.weights)
    checkpoints.save(converted, args.target, args.force)
    print('\n'.join(checkpoints.summarize(converted, args.target)))


def main(argv: list[str] | None = None) -> int:
    """Run the tool; returns the exit status."""
    return _cli.run(convert, parse_args(argv))


if __name__ == '__main__':
    sys.exit(main())
