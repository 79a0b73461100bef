"""Does training against occlusion help? Train and judge all recipes.

    python projects/does_training_help/study.py --out work_dirs/study

Each training is a job with a folder, OUT/jobs/NET/RECIPE/SEED; its result is
OUT/results/NET.RECIPE.SEED.npz. The same command resumes: finished trainings
and results are kept. Results of several machines are merged by copying them
into one folder. --scale coco writes the configs of the study on COCO.
"""

import argparse
import io
import os
import shutil
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault('OMP_NUM_THREADS', '1')
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).parents[1] / 'synthetic_people'))

import numpy as np
import recipes
import torch
from judge import measured
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from summary import summarise
from synthetic_people import generate

from mmpose_occlusion.benchmark.api import run_benchmark
from mmpose_occlusion.files import write_bytes


def main(argv: list[str] | None = None) -> int:
    """Run the study; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add('--out', default='work_dirs/study', help='folder of the study')
    add('--only', help='recipes, with commas between them')
    add('--nets', default='w16,w32', help='(default: %(default)s)')
    add('--seeds', default='0,1,2', help='(default: %(default)s)')
    add('--train', type=int, default=1200, help='training images')
    add('--val', type=int, default=300, help='images to judge on')
    add('--epochs', type=int, default=recipes.EPOCHS, help='of most recipes')
    add('--draws', type=int, default=1000, help='resampled sets of images')
    add('--jobs', type=int, default=os.cpu_count(), help='processes')
    add('--scale', choices=['synthetic', 'coco'], default='synthetic')
    args = parser.parse_args(argv)
    out = Path(args.out).absolute()
    if args.scale == 'coco':
        recipes.write_coco(out / 'coco')
        return 0
    names = args.only.split(',') if args.only else list(recipes.USUAL)
    if unknown := set(names).difference(recipes.RECIPES):
        known = ', '.join(recipes.RECIPES)
        parser.error(f'there is no recipe {", ".join(unknown)}: give {known}')
    generate(out / 'people', args.train, args.val, workers=args.jobs)
    (out / 'results').mkdir(exist_ok=True)
    # the longest first
    nets = sorted(args.nets.split(','), reverse=True)
    names.sort(key=lambda name: -recipes.RECIPES[name].get('epochs', 1))
    jobs = [
        f'{net}.{name}.{seed}'
        for seed in args.seeds.split(',')
        for net in nets
        for name in names
    ]
    missing = [j for j in jobs if not (out / f'results/{j}.npz').exists()]
    print(f'{len(jobs)} jobs, {len(missing)} of them to do', flush=True)
    failed = run_jobs(args, out, missing)
    if len(names) > 1:
        summarise(out)
    return int(failed > 0)


def run_jobs(args: argparse.Namespace, out: Path, jobs: list[str]) -> int:
    """Do jobs in processes of their own; returns how many failed."""
    start, failed = time.perf_counter(), 0
    with ProcessPoolExecutor(
        max(1, min(args.jobs, len(jobs))), mp_context=get_context('spawn')
    ) as pool:
        futures = {pool.submit(work, args, out, job): job for job in jobs}
        for number, future in enumerate(as_completed(futures), 1):
            error = future.exception()
            failed += error is not None
            told = f'failed: {error!r}' if error else future.result()
            print(
                f'[{number}/{len(jobs)}] {futures[future]}: {told}, '
                f'{time.perf_counter() - start:.0f} s so far',
                flush=True,
            )
    return failed


def work(args: argparse.Namespace, out: Path, job: str) -> str:
    """Train and judge one job in this process; what it took, in words."""
    torch.set_num_threads(1)
    net, recipe, seed = job.split('.')
    folder = out / 'jobs' / net / recipe / seed
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / 'output.log', 'a') as log:
        for number in (1, 2):  # this process's own prints, from here on
            os.dup2(log.fileno(), number)
    cfg = recipes.study_config(
        recipe, net, int(seed), f'{out}/people/', args.epochs
    )
    cfg.work_dir = str(folder)
    cfg.experiment_name = cfg.visualizer.name = job
    done, start = folder / 'trained', time.process_time()
    if not done.exists():
        init_default_scope('mmpose')
        cfg.dump(folder / 'config.py')
        Runner.from_cfg(cfg).train()
        done.write_text(f'{time.process_time() - start:.1f}')
    trained, start = float(done.read_text()), time.process_time()
    found = run_benchmark(
        folder / 'config.py',
        folder / f'epoch_{cfg.train_cfg.max_epochs}.pth',
        out=folder / 'predictions',
        suites=[str(Path(__file__).with_name('suite.json'))],
        gt_boxes=True,
        num_workers=0,
        trust_checkpoint=True,  # this process's own
    )
    arrays = measured(found.runs[0], args.draws)
    judged = time.process_time() - start
    stream = io.BytesIO()
    np.savez_compressed(stream, seconds=[trained, judged], **arrays)
    write_bytes(out / f'results/{job}.npz', stream.getvalue())
    shutil.rmtree(folder / 'predictions')
    return (
        f'AP {arrays["AP"][0]:.3f}, {trained:.0f} + {judged:.0f} s of CPU time'
    )


if __name__ == '__main__':
    sys.exit(main())
