"""The built wheel, installed elsewhere, works outside the checkout."""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import uproot

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A virtual environment with the wheel; the libraries come from the environment of the tests."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    ignore = shutil.ignore_patterns(".venv", ".git", "runs", "demo", "__pycache__", ".*_cache")
    shutil.copytree(ROOT, source, ignore=ignore)
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(source)]
    subprocess.run(build, check=True, capture_output=True)
    shutil.rmtree(source)
    (wheel,) = folder.glob("na64ml-*.whl")
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    python = environment / "bin" / "python"
    site = Path(subprocess.run(
        [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True, capture_output=True, text=True,
    ).stdout.strip())  # fmt: skip
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    (site / "libraries.pth").write_text(_without_editable_hooks(folder))
    return python, folder


def _without_editable_hooks(folder: Path) -> str:
    """Return a folder of links to every installed library but the editable checkout."""
    links = folder / "libraries"
    links.mkdir()
    for item in Path(sysconfig.get_path("purelib")).iterdir():
        if "na64ml" not in item.name:
            (links / item.name).symlink_to(item)
    return f"{links}\n"


def test_score_with_the_installed_package(installed, trained, few_events):
    python, folder = installed
    work = folder / "elsewhere"
    work.mkdir()
    shutil.copy(few_events, work / "events.root")
    shutil.copy(trained[0] / "model.onnx", work / "model.onnx")

    def run(*arguments):
        return subprocess.run(
            [str(python), "-I", *arguments], cwd=work, capture_output=True, text=True, timeout=300, check=False
        )

    where = run("-c", "import na64ml; print(na64ml.__file__)").stdout
    assert str(folder) in where, "the test must use the installed wheel"
    done = run("-m", "na64ml.cli", "score", "events.root", "--model", "model.onnx", "--out", "scores.root")
    assert done.returncode == 0, done.stderr
    with uproot.open(work / "scores.root") as friend, uproot.open(work / "events.root") as events:
        assert friend["scores"].num_entries == events["tree"].num_entries
    done = run("-m", "na64ml.cli", "inspect", "shipped:na64e_reference_b.root")
    assert "layout na64e_reference: fits" in done.stdout
