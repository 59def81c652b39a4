import subprocess
import sys

HEAVY = {
    "torch",
    "lightning",
    "torch_geometric",
    "mlflow",
    "uproot",
    "awkward",
    "matplotlib",
    "scipy",
    "pandas",
    "onnx",
}


def test_importing_the_scorer_is_light() -> None:
    """In a fresh interpreter, as an analysis chain would."""
    done = subprocess.run(
        [sys.executable, "-c", "import na64ml.inference, sys; print(*sorted({m.split('.')[0] for m in sys.modules}))"],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stdout.split())
    assert "na64ml" in loaded
    assert loaded & HEAVY == set()
