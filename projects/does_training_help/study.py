"""Does training against occlusion help? Train and judge all recipes.

    python projects/does_training_help/study.py --out work_dirs/study

Each training is a job with a folder, OUT/jobs/NET/RECIPE/SEED; its result is
OUT/results/NET.RECIPE.SEED.npz. The same command resumes: finished trainings
and results are kept. Results of several machines are merged by copying them
into one folder. --scale coco writes the configs of the study on COCO.
"""

import argparse
import os
import shutil
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault('OMP_NUM_THREADS', '1')

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = Path(__file__).resolve().parents[2]
for _path in (HERE, ROOT / 'projects/synthetic_people', ROOT):
    if str(_path) not in sys.path:
        sys.path.insert(0, str(_path))

Job = tuple[str, str, int]
"""Net, recipe, seed."""


def main(argv: list[str] | None = None) -> int:
    """Run the study; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add('--out', default='work_dirs/study', help='folder of the study')
    add('--data', help='folder of the synthetic people (default: OUT/people)')
    add('--only', help='recipes, with commas between them (default: all)')
    add('--nets', default='w16,w32', help='(default: %(default)s)')
    add('--seeds', default='0,1,2', help='(default: %(default)s)')
    add('--train', type=int, default=1200, help='training images')
    add('--val', type=int, default=300, help='images to judge on')
    add('--epochs', type=int, help='of a recipe of usual length')
    add('--draws', type=int, default=1000, help='resampled sets of images')
    add('--jobs', type=int, default=os.cpu_count(), help='processes')
    add('--device', choices=['auto', 'cpu', 'cuda'], default='auto')
    add('--keep', action='store_true', help='keep predictions under attacks')
    add('--scale', choices=['synthetic', 'coco'], default='synthetic')
    args = parser.parse_args(argv)
    if args.device == 'cpu':
        os.environ['CUDA_VISIBLE_DEVICES'] = '-1'
    out = Path(args.out).absolute()
    out.mkdir(parents=True, exist_ok=True)
    import recipes

    if args.scale == 'coco':
        for path in recipes.write_coco(out / 'coco'):
            print(path)
        return 0
    start = time.perf_counter()
    from synthetic_people import generate

    args.data = str(Path(args.data or out / 'people').absolute()) + '/'
    generate(args.data, args.train, args.val, workers=args.jobs)
    names = args.only.split(',') if args.only else list(recipes.RECIPES)
    args.epochs = args.epochs or recipes.EPOCHS
    # the longest first
    nets = sorted(args.nets.split(','), reverse=True)
    by_length = sorted(
        names, key=lambda n: -recipes.RECIPES[n].get('epochs', 1)
    )
    seeds = map(int, args.seeds.split(','))
    jobs = [
        (net, n, seed) for seed in seeds for net in nets for n in by_length
    ]
    missing = [job for job in jobs if not result_of(out, job).exists()]
    print(f'{len(jobs)} jobs, {len(missing)} of them to do', flush=True)
    failed = 0
    with ProcessPoolExecutor(
        max(1, min(args.jobs, len(missing))), mp_context=get_context('spawn')
    ) as pool:
        futures = {pool.submit(work, args, out, job): job for job in missing}
        for number, future in enumerate(as_completed(futures), 1):
            name = '.'.join(map(str, futures[future]))
            error = future.exception()
            failed += error is not None
            told = f'failed: {error!r}' if error else future.result()
            seconds = time.perf_counter() - start
            print(
                f'[{number}/{len(missing)}] {name}: {told}, '
                f'{seconds:.0f} s so far',
                flush=True,
            )
    import summary

    if len(names) > 1 and (out / 'results').exists():
        summary.summarise(out)
    return int(failed > 0)


def result_of(out: Path, job: Job) -> Path:
    """The file of a job's result."""
    return out / 'results' / ('.'.join(map(str, job)) + '.npz')


def work(args: argparse.Namespace, out: Path, job: Job) -> str:
    """Train and judge one job in this process; what it took, in words."""
    import judge
    import recipes
    import torch
    from mmengine.registry import init_default_scope
    from mmengine.runner import Runner

    torch.set_num_threads(1)
    net, recipe, seed = job
    folder = out / 'jobs' / net / recipe / str(seed)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / 'output.log', 'a') as log:
        for number in (1, 2):  # this process's own prints, from here on
            os.dup2(log.fileno(), number)
    cfg = recipes.study_config(recipe, net, seed, args.data, args.epochs)
    cfg.work_dir = str(folder)
    cfg.experiment_name = cfg.visualizer.name = '.'.join(map(str, job))
    done, start = folder / 'trained', time.process_time()
    if not done.exists():
        init_default_scope('mmpose')
        cfg.dump(folder / 'config.py')
        Runner.from_cfg(cfg).train()
        done.write_text(f'{time.process_time() - start:.1f}')
    trained, start = float(done.read_text()), time.process_time()
    arrays = judge.judge(
        folder / 'config.py',
        folder / f'epoch_{cfg.train_cfg.max_epochs}.pth',
        folder / 'predictions',
        draws=args.draws,
    )
    judged = time.process_time() - start
    arrays['seconds'] = np.array([trained, judged])
    path = result_of(out, job)
    path.parent.mkdir(exist_ok=True)
    judge.write(arrays, path)
    if not args.keep:
        shutil.rmtree(folder / 'predictions')
    return (
        f'AP {arrays["AP"][0]:.3f}, {trained:.0f} + {judged:.0f} s of CPU time'
    )


if __name__ == '__main__':
    sys.exit(main())
