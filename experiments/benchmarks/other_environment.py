"""A process in another Python environment that measures when it is asked, so that two environments can take turns."""

import json
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class OtherEnvironment:
    """Run a script with another interpreter; it answers each line of its input with one line of JSON.

    Parameters
    ----------
    python
        Interpreter of the other environment.
    script
        Script to run.
    settings
        Its only argument, as JSON.
    """

    def __init__(self, python: Path, script: Path, settings: dict[str, Any]) -> None:
        command = [str(python), str(script), json.dumps(settings)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def ask(self, question: str) -> Any:
        """Return the answer to one line.

        Raises
        ------
        RuntimeError
            If the process ends instead.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(question + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self._process.args}: ended with code {self._process.wait()} at '{question}'")
        return json.loads(answer)
