"""Convert a checkpoint of the reference code to MMPose's format.

    python projects/tilting_at_windmills/convert_checkpoint.py \\
        pose_hrnet_w32_256x192.pth OUT.pth

Takes HRNet and SimpleBaseline (ResNet) checkpoints, bare or as written
during training, and recognises the model; every key must fit MMPose's. The
file is read without running any code in it. tools/test.py also takes such
checkpoints directly.
"""

import argparse
import hashlib
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
        '--weights',
        choices=['auto', 'best', 'last'],
        default='auto',
        help='of a file that holds both "best_state_dict" and "state_dict": '
        'which to take (default: the best, if it has one)',
    )
    parser.add_argument(
        '--force', action='store_true', help='replace OUT if it exists'
    )
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> None:
    """Read, convert, write, print a summary."""
    from reference_checkpoints import check_target, convert, save, summarize

    from mmpose_occlusion.checkpoints import load_checkpoint_safely
    from mmpose_occlusion.checkpoints.read import local_file

    check_target(args.target, args.force)
    checkpoint = load_checkpoint_safely(args.source)
    converted = convert(checkpoint, args.source, args.weights)
    content = Path(local_file(args.source)).read_bytes()
    source = converted['meta']['converted_from']
    source['sha256'] = hashlib.sha256(content).hexdigest()
    save(converted, args.target, args.force)
    print('\n'.join(summarize(converted, args.target)))


def main(argv: list[str] | None = None) -> int:
    """Run the tool; returns the exit status."""
    return _cli.run(run, parse_args(argv))


if __name__ == '__main__':
    sys.exit(main())
