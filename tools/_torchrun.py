"""torchrun, which leaves out its report when a process has said it all.

A process that ends with status 2 has printed a sentence for the user.
"""

import logging
import sys

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
    # it logs that it closes the other processes, at every failure
    logging.getLogger('torch.distributed.elastic').setLevel(logging.CRITICAL)
    try:
        main()
    except errors.ChildFailedError as error:
        _, failure = error.get_first_failure()
        if failure.exitcode != 2:
            raise
        return 2
    return 0


if __name__ == '__main__':
    sys.exit(launch())
