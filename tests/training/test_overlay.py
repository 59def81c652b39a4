from dataclasses import replace

import pytest
import torch

from na64ml.errors import ConfigError
from na64ml.graphs.batch import PackedBatch
from na64ml.models.inputs import NetworkInputs
from na64ml.training.overlay import PileUp, merged
from na64ml.training.readout import Readout

BEAM = 5


@pytest.fixture
def labelled(batch: PackedBatch) -> PackedBatch:
    """One beam electron, the last event."""
    label = torch.zeros_like(batch.label)
    label[-1] = BEAM
    return replace(batch, label=label)


def energies(batch: PackedBatch, readout: Readout) -> torch.Tensor:
    """Energy of each channel ``[n_events, n_channels]``."""
    table = torch.zeros(batch.n_events, readout.n_channels)
    table.index_put_((batch.event, readout.first[batch.detector] + batch.channel), batch.hits[:, 3], accumulate=True)
    return table


def test_energies_of_a_channel_are_added_and_times_averaged(batch: PackedBatch, readout: Readout) -> None:
    twice = replace(
        batch,
        hits=torch.cat([batch.hits, batch.hits]),
        **{name: getattr(batch, name).repeat(2) for name in ("detector", "event", "channel")},
    )
    twice.hits[len(batch.hits) :, 3] *= 3
    twice.hits[len(batch.hits) :, 4] += 4
    joined = merged(twice, readout)
    torch.testing.assert_close(energies(joined, readout), 4 * energies(batch, readout))
    single = ~readout.is_tracker[batch.detector]
    kept = joined.hits[~readout.is_tracker[joined.detector]]
    assert len(kept) == single.sum()
    assert len(joined.hits) == single.sum() + 2 * (~single).sum()
    before = merged(batch, readout)
    before = before.hits[~readout.is_tracker[before.detector]]
    positive = before[:, 3] > 0
    torch.testing.assert_close(kept[positive, 4], before[positive, 4] + 3, equal_nan=True)
    torch.testing.assert_close(kept[:, [0, 1, 2, 5]], before[:, [0, 1, 2, 5]])


def test_the_second_particle_adds_the_share_of_its_energy_inside_the_gate(
    labelled: PackedBatch, inputs: NetworkInputs, readout: Readout
) -> None:
    torch.manual_seed(0)
    piled = PileUp(probability=1.0)(labelled, inputs, readout)
    before, after = energies(labelled, readout), energies(piled, readout)
    torch.testing.assert_close(after[-1], before[-1])  # not on itself
    second = before[-1]
    share = (after - before)[:-1].sum(dim=1) / second.sum()
    torch.testing.assert_close((after - before)[:-1], share[:, None] * second, rtol=1e-3, atol=1e-4)
    assert 0.199 < share.min() <= share.max() < 1.001
    assert share.mean().item() == pytest.approx(0.6, abs=5 * 0.8 / 12**0.5 / len(share) ** 0.5)
    for name in ("track", "label", "weight", "index"):
        assert getattr(piled, name) is getattr(labelled, name)
    assert torch.equal(piled.event, piled.event.sort().values)


def test_times_of_new_hits_are_shifted_by_what_the_share_says(
    labelled: PackedBatch, inputs: NetworkInputs, readout: Readout
) -> None:
    torch.manual_seed(0)
    ecal = inputs.detector_names.index("ECAL")
    piled = PileUp(probability=1.0, window=30.0, gate=60.0)(labelled, inputs, readout)
    own = energies(labelled, readout)
    last = (labelled.event == labelled.n_events - 1) & (labelled.detector == ecal)
    of_second = dict(zip(labelled.channel[last].tolist(), labelled.hits[last], strict=True))
    new = (piled.detector == ecal) & (own[piled.event, readout.first[ecal] + piled.channel] == 0)
    assert new.sum() > 20
    for channel, hit in zip(piled.channel[new].tolist(), piled.hits[new], strict=True):
        share = hit[3] / of_second[channel][3]
        late = (hit[4] - of_second[channel][4]).abs()
        assert float(1 - late / 60) == pytest.approx(float(share), abs=1e-3)


def test_as_many_events_as_asked_and_none_without_a_beam_event(
    labelled: PackedBatch, inputs: NetworkInputs, readout: Readout
) -> None:
    torch.manual_seed(0)
    piled = PileUp(probability=0.3)(labelled, inputs, readout)
    changed = ((energies(piled, readout) - energies(labelled, readout)).abs().sum(dim=1) > 0.1).float().mean()
    assert changed.item() == pytest.approx(0.3, abs=5 * (0.21 / labelled.n_events) ** 0.5)
    none = replace(labelled, label=torch.zeros_like(labelled.label))
    assert PileUp(probability=1.0)(none, inputs, readout) is none


def test_tracker_hits_of_the_second_particle_are_seen_beside_the_first(
    labelled: PackedBatch, inputs: NetworkInputs, readout: Readout
) -> None:
    torch.manual_seed(0)
    always = PileUp(probability=1.0, window=1e-6)(labelled, inputs, readout)

    def counts(batch: PackedBatch) -> torch.Tensor:
        return torch.bincount(batch.event[readout.is_tracker[batch.detector]], minlength=batch.n_events)

    before = counts(labelled)
    assert torch.equal(counts(always)[:-1], before[:-1] + before[-1])


def test_an_unknown_class_is_refused(labelled: PackedBatch, inputs: NetworkInputs, readout: Readout) -> None:
    with pytest.raises(ConfigError, match="of_class: no class 'beam'"):
        PileUp(of_class="beam")(labelled, inputs, readout)
