import subprocess
import sys


def test_loading_a_setup_imports_neither_matplotlib_nor_rich() -> None:
    code = (
        "import sys; from na64ml.setups import conditions, describe, draw, setup; "
        "conditions.load_conditions('na64e_reference'); "
        "print(sorted({'matplotlib', 'rich', 'scipy', 'torch'} & sys.modules.keys()))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
