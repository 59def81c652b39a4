from collections.abc import Callable

import pytest
import torch

from na64ml.errors import ConfigError
from na64ml.events.batch import EventBatch
from na64ml.graphs.batch import PackedBatch
from na64ml.models.features import EventFeatures
from na64ml.models.inputs import NetworkInputs
from na64ml.models.normalisation import Normalisation

Pack = Callable[[EventBatch], PackedBatch]


def fit(norm: Normalisation, *parts: tuple[torch.Tensor, torch.Tensor]) -> None:
    moments = norm.moments()
    for values, group in parts:
        moments.add(values, group)
    norm.set_from(moments)


def test_each_group_gets_mean_zero_and_spread_one() -> None:
    torch.manual_seed(0)
    group = torch.randint(0, 3, (3000,))
    values = torch.randn(3000, 2) * torch.tensor([5.0, 0.5]) + group[:, None] * 7
    norm = Normalisation(3, 2)
    fit(norm, (values[:1000], group[:1000]), (values[1000:], group[1000:]))
    result = norm(values, group)
    for index in range(3):
        own = result[group == index]
        torch.testing.assert_close(own.mean(dim=0), torch.zeros(2), rtol=0, atol=1e-3)
        torch.testing.assert_close(own.std(dim=0), torch.ones(2), rtol=0, atol=0.01)


def test_constant_and_absent_features_keep_the_scale_one() -> None:
    norm = Normalisation(2, 1)
    fit(norm, (torch.full((50, 1), 3.0), torch.zeros(50, dtype=torch.int64)))
    assert norm.scale.tolist() == [[1.0], [1.0]]
    assert norm.mean.tolist() == [[3.0], [0.0]]


def test_constant_and_saturated_features_are_not_blown_up() -> None:
    torch.manual_seed(0)
    noise = torch.randn(1000)
    columns = {
        "constant": torch.full((1000,), 3.0),
        "zero": torch.zeros(1000),
        "saturated": 1 - 4e-5 * noise.abs(),
        "angle": 3e-4 * noise,  # rad: small, but not compared with its mean
        "momentum": 100 + 1.3 * noise,
    }
    values, group = torch.stack(list(columns.values()), dim=1), torch.zeros(1000, dtype=torch.int64)
    norm = Normalisation(1, len(columns))
    fit(norm, (values, group))
    scale = dict(zip(columns, norm.scale[0].tolist(), strict=True))
    assert scale["constant"] == scale["zero"] == scale["saturated"] == 1
    spread = norm(values, group).std(dim=0)
    torch.testing.assert_close(spread[3:], torch.ones(2), rtol=1e-2, atol=0)


def test_outliers_are_clipped() -> None:
    norm = Normalisation(1, 1)
    assert norm(torch.tensor([[1e6], [-1e6], [2.0]]), torch.zeros(3, dtype=torch.int64)).flatten().tolist() == [
        10,
        -10,
        2,
    ]


def test_event_features_of_the_training_sample_are_normalised(
    inputs: NetworkInputs, reference_events: EventBatch, packed: Pack
) -> None:
    features = EventFeatures(inputs)
    batch = packed(reference_events)
    features.fit([batch])
    raw = features.raw(batch.hits, batch.detector, batch.event, batch.track)
    owner = torch.arange(len(features.layers)).repeat(batch.n_events)
    filled = raw.present[:, 0] > 0
    assert not filled.all(), "the sample must have layers without hits"
    for module, values, group in (
        (features.hit_norm, raw.hits, raw.layer),
        (features.amount_norm, raw.amounts, owner),
        (features.shape_norm, raw.shapes[filled], owner[filled]),
        (features.track_norm, raw.track, torch.zeros(batch.n_events, dtype=torch.int64)),
    ):
        wide = ((values - module.mean[group]) / module.scale[group]).double()
        for index in range(int(group.max()) + 1):
            own = wide[group == index]
            assert own.mean(dim=0).abs().max() < 1e-3
            spread = own.std(dim=0, unbiased=False)
            assert bool(((spread - 1).abs().lt(2e-3) | spread.lt(1e-2)).all())  # constant features stay constant


def test_an_empty_training_split_is_an_error(inputs: NetworkInputs) -> None:
    with pytest.raises(ConfigError, match="training split is empty"):
        EventFeatures(inputs).fit([])


def test_no_side_of_the_features_is_nan_for_bad_input(
    inputs: NetworkInputs, few_events: EventBatch, packed: Pack
) -> None:
    batch = packed(few_events)
    for bad in (torch.nan, torch.inf, -torch.inf):
        hit, _, event = EventFeatures(inputs)(
            torch.full_like(batch.hits, bad), batch.detector, batch.event, torch.full_like(batch.track, bad)
        )
        assert torch.isfinite(hit).all()
        assert torch.isfinite(event).all()


def test_hits_at_one_place_have_no_width(inputs: NetworkInputs) -> None:
    n_hits = 7
    hits = torch.tensor([[300.1, -250.3, 1000.0, 0.7, 0.0, 0.0]]).repeat(n_hits, 1)
    hits[:, 3] = torch.linspace(0.1, 1.0, n_hits)
    detector = torch.full((n_hits,), inputs.detector_names.index("HCAL"))
    features = EventFeatures(inputs)
    raw = features.raw(
        hits, detector, torch.zeros(n_hits, dtype=torch.int64), torch.tensor([[100.0, 0, 0, 4.1, 3.3, 1]])
    )
    assert features.layers.detector[raw.layer].tolist() == detector.tolist()
    assert raw.shapes[raw.layer[0], 4:6].max() < 1e-2  # the columns of the widths
    assert raw.present.sum() == 1


def test_a_layer_without_hits_has_the_average_shape(
    inputs: NetworkInputs, few_events: EventBatch, packed: Pack
) -> None:
    batch = packed(few_events)
    features = EventFeatures(inputs)
    features.fit([batch])
    _, _, event_features = features(batch.hits, batch.detector, batch.event, batch.track)
    raw = features.raw(batch.hits, batch.detector, batch.event, batch.track)
    per_layer = event_features[:, :-7].reshape(len(raw.present), 11)
    empty = raw.present[:, 0] == 0
    assert (per_layer[empty, 3:] == 0).all()
    assert (per_layer[~empty, 3:] != 0).any()
