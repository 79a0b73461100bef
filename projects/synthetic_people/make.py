"""Draw a data set of synthetic people in the layout of COCO.

    python projects/synthetic_people/make.py

draws 1,500 training and 200 validation images with 17-joint annotations.
Equal settings give equal bytes, on any number of processes. A folder that
already holds the set is left as it is; an interrupted run is resumed by the
same command.
"""

import argparse
import json
import sys
import time

from synthetic_people import generate


def main() -> None:
    """Draw the set and print what it holds."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name, default, text in (
        ('--out', 'data/synthetic_people', 'folder of the data set'),
        ('--train', 1500, 'number of training images'),
        ('--val', 200, 'number of validation images'),
        ('--seed', 0, 'seed of all random numbers'),
        ('--workers', 2, 'number of processes; 0: this one'),
    ):
        text = f'{text} (default: %(default)s)'
        parser.add_argument(
            name, type=type(default), default=default, help=text
        )
    args, start = vars(parser.parse_args()), time.perf_counter()
    try:
        root = generate(args.pop('out'), **args, progress=True)
    except FileExistsError as error:
        sys.exit(f'error: {error}')
    except KeyboardInterrupt:
        sys.exit('error: interrupted; the same command resumes.')
    for path in sorted(root.glob('annotations/*.json')):
        data = json.loads(path.read_text())
        images, people = len(data['images']), len(data['annotations'])
        split = path.stem.rpartition('_')[2]
        print(f'{split}: {images} images, {people} people')
    print(f'{root}: ready after {time.perf_counter() - start:.1f} s')


if __name__ == '__main__':
    main()
