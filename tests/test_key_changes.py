import pytest

from na64ml.errors import ConfigError
from na64ml.key_changes import changed


def test_keys_are_changed_in_a_copy():
    content = {"seed": 1, "engine": {"init_args": {"path": "a.root"}}}
    made = changed(content, ["seed=7", "engine.init_args.pool={of: 2, use: 0}", "pileup.window=40"])
    assert made == {
        "seed": 7,
        "engine": {"init_args": {"path": "a.root", "pool": {"of": 2, "use": 0}}},
        "pileup": {"window": 40},
    }
    assert content == {"seed": 1, "engine": {"init_args": {"path": "a.root"}}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("seed", "give KEY=VALUE"),
        ("=3", "give KEY=VALUE"),
        ("seed={", "not YAML"),
        ("seed.a.b=3", "'seed.a' is no mapping"),
    ],
)
def test_wrong_changes_are_named(change, message):
    with pytest.raises(ConfigError, match=message):
        changed({"seed": 1}, [change])
