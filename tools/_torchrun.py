"""torchrun, which leaves out its report when a process has said it all.

A process that ends with status 2 has printed a sentence for the user.
"""

import logging
import sys

from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.run import main


def launch() -> int:
    """Run torchrun; returns the exit status."""
    # it logs that it closes the other processes, at every failure
    logging.getLogger('torch.distributed.elastic').setLevel(logging.CRITICAL)
    try:
        main()
    except ChildFailedError as error:
        _, failure = error.get_first_failure()
        if failure.exitcode != 2:
            raise
        return 2
    return 0


if __name__ == '__main__':
    sys.exit(launch())
