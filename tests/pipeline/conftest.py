import contextlib
import io
import shutil
from pathlib import Path

import pytest
import uproot

from na64ml.cli import main
from na64ml.resources import shipped

N_EVENTS = 900


class CommandLine:
    """Runs ``na64ml`` in a folder, in this process: importing the libraries anew takes longer than most commands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *arguments: str, code: int = 0) -> str:
        output = io.StringIO()
        with contextlib.chdir(self.folder), contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            returned = main(arguments)
        assert returned == code, f"{' '.join(arguments)} ended with {returned}:\n{output.getvalue()[-3000:]}"
        return output.getvalue()


@pytest.fixture(scope="session")
def few_events(tmp_path_factory):
    """A ROOT file with the first events of the reference file."""
    path = tmp_path_factory.mktemp("events") / "few.root"
    with uproot.open(shipped("datasets") / "na64e_reference.root") as file:
        arrays = file["tree"].arrays(entry_stop=N_EVENTS, library="ak", how=dict)
    with uproot.recreate(path) as file:
        file.mktree("tree", {name: array.type.content for name, array in arrays.items()})
        file["tree"].extend(arrays)
    return path


@pytest.fixture(scope="session")
def trained(tmp_path_factory, few_events):
    """Folder in which the training, evaluation and export commands have run on a few hundred events."""
    folder = tmp_path_factory.mktemp("chain")
    run = CommandLine(folder)
    shutil.copy(few_events, folder / "few.root")
    small = [
        "--model.network.init_args.width",
        "8",
        "--model.network.init_args.n_blocks",
        "1",
        "--trainer.max_epochs",
        "3",
    ]
    config = ["--config", "na64e_invisible/train.yaml"]
    run("fit", *config, "--data.files", '["few.root"]', "--root", "runs", *small)
    (checkpoint,) = folder.glob("runs/*/*/checkpoints/best.ckpt")
    evaluated = run("evaluate", "few.root", "--model", str(checkpoint), "--out", "evaluation")
    exported = run(
        "export", str(checkpoint), "--out", "model.onnx", "--working-points", "evaluation/working_points.json"
    )
    return folder, checkpoint, {"evaluate": evaluated, "export": exported}
