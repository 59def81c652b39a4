"""Where many independent tasks are done: in this process, in several, or on a Dask cluster."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from importlib import import_module
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Any, Protocol, TypeVar

from na64ml.errors import ConfigError, InputError

T = TypeVar("T")
R = TypeVar("R")

_ATTEMPTS = 2
_MAX_LOST = 3


class Scheduler(Protocol):
    """Calls a function on many tasks and yields what it returns, in the order in which the calls finish.

    Elsewhere than in this process, the function, the tasks and the results must be picklable. What the function raises
    is raised here, and ends everything. A worker that dies loses only its task, which is given to another worker; a
    task whose workers keep dying is named in an `InputError` when all others are finished, or after three of them.
    """

    def __call__(self, function: Callable[[T], R], tasks: Sequence[T]) -> Iterator[R]:
        """Do the tasks."""
        ...


def in_this_process(function: Callable[[T], R], tasks: Sequence[T]) -> Iterator[R]:
    """Do the tasks one after the other."""
    yield from map(function, tasks)


def in_processes(workers: int) -> Scheduler:
    """Return a scheduler with several processes on this machine.

    Every process is a pool of its own: one pool would lose the tasks of all when one of them dies.
    """

    def run(function: Callable[[T], R], tasks: Sequence[T]) -> Iterator[R]:
        waiting = deque((task, 1) for task in tasks)
        running: dict[Future[R], tuple[ProcessPoolExecutor, T, int]] = {}
        lost: list[T] = []
        with ExitStack() as stack:

            def open_worker() -> ProcessPoolExecutor:
                return stack.enter_context(_single_worker())

            def give_next(pool: ProcessPoolExecutor) -> None:
                if waiting:
                    task, attempt = waiting.popleft()
                    running[pool.submit(function, task)] = (pool, task, attempt)

            for _ in range(min(workers, len(waiting))):
                give_next(open_worker())
            while running:
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    pool, task, attempt = running.pop(future)
                    try:
                        result = future.result()
                    except BrokenProcessPool:
                        if attempt < _ATTEMPTS:
                            waiting.appendleft((task, attempt + 1))
                        else:
                            lost.append(task)
                            _complain(lost, enough=_MAX_LOST)
                        give_next(open_worker())
                    else:
                        give_next(pool)
                        yield result
        _complain(lost, enough=1)

    return run


def on_dask(address: str) -> Scheduler:
    """Return a scheduler that uses a Dask cluster whose workers see the same files."""

    def run(function: Callable[[T], R], tasks: Sequence[T]) -> Iterator[R]:
        try:
            distributed: Any = import_module("distributed")
        except ModuleNotFoundError as error:
            raise ConfigError("--scheduler needs the package distributed: pip install 'na64ml[dask]'") from error
        try:
            client = distributed.Client(address, timeout="10s")
        except (OSError, TimeoutError, ValueError) as error:
            raise ConfigError(f"--scheduler {address}: no Dask scheduler answers there ({error})") from error
        lost: list[T] = []
        with client:
            futures = {client.submit(function, task, pure=False): task for task in tasks}
            for future in distributed.as_completed(futures):
                try:
                    yield future.result()
                except distributed.KilledWorker:
                    lost.append(futures[future])
                    _complain(lost, enough=_MAX_LOST)
                except distributed.client.FutureCancelledError as error:
                    raise InputError(
                        f"--scheduler {address}: the Dask scheduler went away ({error}); finished shards are kept, "
                        "run the same command again"
                    ) from error
        _complain(lost, enough=1)

    return run


def _complain(lost: Sequence[Any], enough: int) -> None:
    """Raise an error if there are enough tasks whose workers died."""
    if len(lost) >= enough:
        raise InputError(
            f"{'; '.join(map(str, lost))}: a worker died, and again when this was repeated, killed by hand or for want "
            "of memory; finished shards are kept, run the same command again, with fewer workers if memory was short"
        )


def _single_worker() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_end_with_parent)


def _end_with_parent() -> None:
    """End this process when the one that started it is killed, instead of waiting for tasks for ever."""
    Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
