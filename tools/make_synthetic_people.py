"""Draw a data set of synthetic people in COCO's and MPII's layout.

    python tools/make_synthetic_people.py --out data/synthetic_people

makes 1,300 pictures to train on and 200 to test on, with 17-joint COCO and
16-joint MPII annotations and the boxes of a made-up detector. The same
settings give the same bytes, on any number of processes. A folder that
already holds the set is left as it is; a run that is stopped leaves nothing
half-made behind.
"""

import argparse
import json
import sys
import time

import _cli


def parse_args() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--out',
        default='data/synthetic_people',
        metavar='DIR',
        help='folder of the data set (default: %(default)s)',
    )
    _cli.add_people(parser)
    parser.add_argument(
        '--seed', type=int, default=0, help='default: %(default)s'
    )
    parser.add_argument(
        '--workers',
        type=int,
        default=2,
        metavar='N',
        help='processes that draw; 0 draws in this one; the pictures do not '
        'depend on it (default: %(default)s)',
    )
    parser.add_argument(
        '--overwrite',
        action='store_true',
        help='replace another set of synthetic people in DIR',
    )
    return parser.parse_args()


def main() -> None:
    """Make the set and say what came of it."""
    args = parse_args()
    from mmpose_occlusion.datasets.synthetic_people import generate

    start = time.perf_counter()
    try:
        root = generate(
            args.out,
            train=args.train,
            val=args.val,
            seed=args.seed,
            workers=args.workers,
            overwrite=args.overwrite,
            progress=True,
        )
    except (ValueError, FileExistsError) as error:
        sys.exit(f'make_synthetic_people.py: {error}')
    except KeyboardInterrupt:
        sys.exit('make_synthetic_people.py: stopped, nothing was kept.')
    for split in ('train', 'val'):
        path = root / 'annotations' / f'person_keypoints_{split}.json'
        data = json.loads(path.read_text())
        print(
            f'{split}: {len(data["images"])} pictures, '
            f'{len(data["annotations"])} people'
        )
    print(f'{root}: ready after {time.perf_counter() - start:.1f} s')


if __name__ == '__main__':
    main()
