from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from na64ml.errors import ConfigError
from na64ml.events.batch import EventBatch
from na64ml.events.reader import EventReader
from na64ml.graphs.batch import PackedBatch
from na64ml.models.deep_sets_network import DeepSetsNetwork
from na64ml.models.energy_scale import EnergyScale
from na64ml.models.inputs import NetworkInputs, network_inputs
from na64ml.selection.mode import Mode

Pack = Callable[[EventBatch], PackedBatch]


@pytest.fixture
def batch(few_events: EventBatch, packed: Pack) -> PackedBatch:
    return packed(few_events)


@pytest.fixture
def blind(reader: EventReader, mode: Mode) -> NetworkInputs:
    return network_inputs(reader, mode, energy_blind=("ECAL",))


def brighter(batch: PackedBatch, detector: int, factor: float) -> PackedBatch:
    hits = batch.hits.clone()
    hits[batch.detector == detector, 3] *= factor
    return replace(batch, hits=hits)


def test_a_blind_detector_has_the_same_energy_in_all_events(batch: PackedBatch, blind: NetworkInputs) -> None:
    ecal = blind.detector_names.index("ECAL")
    energy = EnergyScale(blind)(batch.hits[None, :, 3], batch.detector, batch.event, batch.n_events)[0]
    own = batch.detector == ecal
    total = torch.zeros(batch.n_events).scatter_add(0, batch.event[own], energy[own].clamp(min=0))
    seen = torch.bincount(batch.event[own], minlength=batch.n_events) > 0
    torch.testing.assert_close(total[seen], torch.full_like(total[seen], 10.0))
    assert torch.equal(energy[~own], batch.hits[~own, 3])


def test_a_network_does_not_see_the_energy_of_a_blind_detector(
    batch: PackedBatch, blind: NetworkInputs, inputs: NetworkInputs
) -> None:
    ecal, hcal = (blind.detector_names.index(name) for name in ("ECAL", "HCAL"))
    for described, is_blind in ((blind, True), (inputs, False)):
        torch.manual_seed(0)
        network = DeepSetsNetwork(described, width=8)
        network.fit_normalisation([batch])
        with torch.inference_mode():
            found = [
                network.eval()(b.hits, b.detector, b.event, b.track)
                for b in (batch, brighter(batch, ecal, 0.5), brighter(batch, hcal, 0.5))
            ]
        assert torch.allclose(found[0], found[1], rtol=1e-4, atol=1e-4) is is_blind
        assert not torch.allclose(found[0], found[2], rtol=1e-3, atol=1e-3)


def test_an_unknown_detector_is_named(reader: EventReader, mode: Mode) -> None:
    with pytest.raises(ConfigError, match=r"model\.energy_blind: no detector ECALL; .* has SRD"):
        network_inputs(reader, mode, energy_blind=("ECALL",))
