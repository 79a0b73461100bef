"""torchrun without its report when a process ended with an error sentence.

Such a process writes its sentence to the file that MMPOSE_OCCLUSION_REFUSAL
names, and it is printed here, once: torchrun may end a process before it has
printed its own.
"""

import logging
import os
import signal
import sys
import tempfile
from pathlib import Path

try:
    from torch.distributed.elastic.multiprocessing import errors
    from torch.distributed.run import main
except ModuleNotFoundError as error:
    sys.exit(
        f'error: {sys.executable} has no module "{error.name}": name the '
        'interpreter of an environment that has, for example with '
        'PYTHON=$(make -s print-python) before the command'
    )


def launch() -> int:
    """Run torchrun; returns the exit status."""
    # torchrun's: that it closes the other processes, at every failure, and
    # in torch 2.1 that --standalone chooses the port
    logging.disable()
    with tempfile.TemporaryDirectory() as folder:
        refusal = Path(folder) / 'refusal'
        os.environ['MMPOSE_OCCLUSION_REFUSAL'] = str(refusal)
        try:
            main()
        except errors.ChildFailedError as error:
            rank, failure = error.get_first_failure()
            killed = -failure.exitcode in (signal.SIGKILL, signal.SIGSEGV)
            # others then fail for want of it
            if killed or not refusal.is_file():
                print(
                    f'error: process {rank} ended with exit status '
                    f'{failure.exitcode} ({failure.signal_name()}): run the '
                    'same command again, perhaps with fewer processes',
                    file=sys.stderr,
                )
                return 1
            text = refusal.read_text(encoding='utf-8')
            status, _, sentence = text.partition(' ')
            print(sentence, file=sys.stderr)
            return int(status)
    return 0


if __name__ == '__main__':
    sys.exit(launch())
