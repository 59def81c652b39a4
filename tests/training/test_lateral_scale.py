import numpy as np
import pytest
import torch

from na64ml.errors import ConfigError
from na64ml.events.reader import EventReader
from na64ml.graphs.batch import PackedBatch
from na64ml.training.lateral_scale import LateralScale
from na64ml.training.overlay import merged
from na64ml.training.readout import Readout


def cells(batch: PackedBatch, readout: Readout) -> torch.Tensor:
    """Energies of the target ``[n_events, 2, 6, 6]``."""
    inside = batch.detector == readout.target
    table = torch.zeros(batch.n_events, 2 * 6 * 6, dtype=torch.float64)
    table[batch.event[inside], batch.channel[inside]] = batch.hits[inside, 3].double()
    return table.reshape(-1, 2, 6, 6)


def test_the_energy_of_each_segment_is_kept(batch: PackedBatch, readout: Readout) -> None:
    torch.manual_seed(0)
    before, after = (cells(part, readout) for part in (batch, LateralScale((1.0, 1.8))(batch, readout)))
    torch.testing.assert_close(after.sum(dim=(2, 3)), before.sum(dim=(2, 3)), rtol=1e-5, atol=1e-6)
    assert not torch.allclose(after, before, rtol=1e-2)


def test_other_detectors_and_the_hits_of_a_channel_are_left_alone(batch: PackedBatch, readout: Readout) -> None:
    wider = LateralScale((1.8, 1.8))(batch, readout)
    in_order = merged(batch, readout)
    for name in ("hits", "channel", "event"):
        before, after = (getattr(part, name)[part.detector != readout.target] for part in (in_order, wider))
        torch.testing.assert_close(after, before, equal_nan=True)
    key = wider.event * readout.n_channels + readout.first[wider.detector] + wider.channel
    single = ~readout.is_tracker[wider.detector]
    assert len(key[single].unique()) == single.sum()
    blank = readout.blank[readout.first[wider.detector] + wider.channel]
    torch.testing.assert_close(wider.hits[single][:, [0, 1, 2, 5]], blank[single][:, [0, 1, 2, 5]])


def test_a_cell_gives_the_share_of_the_profile_to_its_neighbours(readout: Readout) -> None:
    """One cell with energy in the middle and one in the corner; numbers of physics.md 5.3."""
    one = torch.ones(2, dtype=torch.int64)
    channel = torch.tensor([36 + 6 * 3 + 2, 36])
    hits = readout.blank[readout.first[readout.target] + channel].clone()
    hits[:, 3], hits[:, 4] = torch.tensor([50.0, 20.0]), torch.tensor([1.5, torch.nan])
    batch = PackedBatch(
        hits=hits,
        detector=readout.target * one,
        event=torch.arange(2),
        channel=channel,
        track=torch.zeros(2, 6),
        label=one,
        weight=one.float(),
        index=one,
    )
    wider = LateralScale((1.6, 1.6))(batch, readout)
    after = cells(wider, readout)
    assert (after[:, 0] == 0).all()
    expected = torch.zeros(6, 6, dtype=torch.float64)
    expected[2:5, 1:4] = torch.tensor([[0.3, 0.7, 0.3], [0.7, 0.0, 0.7], [0.3, 0.7, 0.3]]) / 4 * 50 * 0.084
    expected[3, 2] = 50 * 0.916
    torch.testing.assert_close(after[0, 1], expected, rtol=1e-5, atol=1e-6)
    assert (0.888 * after[0, 1, 3, 2] / 50).item() == pytest.approx(0.813, abs=0.002)
    corner = after[1, 1] / 20
    # two of four sides and three of four corners are outside
    assert corner[0, 0] == pytest.approx(0.916 + 0.084 * (0.7 / 2 + 0.3 * 3 / 4), rel=1e-5)
    times = wider.hits[:, 4]
    assert times[wider.event == 0].tolist() == pytest.approx([1.5] * 9)
    assert torch.isnan(times[wider.event == 1]).all()


def test_factor_one_changes_nothing(batch: PackedBatch, readout: Readout) -> None:
    same = LateralScale((1.0, 1.0))(batch, readout)
    torch.testing.assert_close(cells(same, readout), cells(batch, readout), rtol=0, atol=0)


@pytest.mark.parametrize("factor", [(0.9, 1.2), (1.5, 1.2)])
def test_a_range_that_is_none_is_refused(factor: tuple[float, float]) -> None:
    with pytest.raises(ConfigError, match="lateral_scale"):
        LateralScale(factor)


def test_neighbours_are_one_pitch_away_in_the_same_segment(reader: EventReader, readout: Readout) -> None:
    target = reader.setup.target_calorimeter
    position = target.channels.position
    step = (position[readout.neighbours.numpy()] - position[:, None, None]) / np.array([*target.pitch[:2], 1.0])
    assert np.abs(step[..., 2]).max() == 0
    own = np.abs(step).sum(axis=-1) == 0
    side, corner = np.abs(step[:, 0]).sum(axis=-1), np.abs(step[:, 1]).max(axis=-1)
    np.testing.assert_allclose(side[~own[:, 0]], 1)
    np.testing.assert_allclose(corner[~own[:, 1]], 1)
    assert own[:, 0].sum() == 2 * 24
    assert own[:, 1].sum() == 2 * (4 * 3 + 16 * 2)
