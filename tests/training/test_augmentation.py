from dataclasses import fields

import pytest
import torch

from na64ml.graphs.batch import PackedBatch
from na64ml.models.edge_conv_network import EdgeConvNetwork
from na64ml.models.inputs import NetworkInputs
from na64ml.training.augmentation import Augmentation
from na64ml.training.overlay import PileUp
from na64ml.training.readout import Readout


def line_distance(batch: PackedBatch) -> torch.Tensor:
    """Distance of each hit from the straight track in x and y, on the axes it measures."""
    x, y, z = batch.hits[:, :3].unbind(1)
    _, theta_x, theta_y, x0, y0, _ = batch.track[batch.event].unbind(1)
    measured_x, measured_y = batch.hits[:, 5] != 2, batch.hits[:, 5] != 1
    return torch.stack(
        [((x - x0 - theta_x * z) * measured_x).abs(), ((y - y0 - theta_y * z) * measured_y).abs()], dim=1
    )


def test_mirroring_keeps_energies_labels_and_distances_to_the_track(
    batch: PackedBatch, inputs: NetworkInputs, readout: Readout
) -> None:
    torch.manual_seed(0)
    mirrored = Augmentation(gain_spread=0.0, noise=0.0, tracker_loss=0.0)(batch, inputs, readout)
    torch.testing.assert_close(line_distance(mirrored), line_distance(batch), rtol=0, atol=1e-4)
    same = [column for column in range(6) if column > 1]
    torch.testing.assert_close(mirrored.hits[:, same], batch.hits[:, same], rtol=0, atol=0, equal_nan=True)
    for name in ("detector", "event", "channel", "label", "weight", "index"):
        assert torch.equal(getattr(mirrored, name), getattr(batch, name))


def test_half_of_the_events_are_flipped_in_each_axis_as_a_whole(
    batch: PackedBatch, inputs: NetworkInputs, readout: Readout
) -> None:
    torch.manual_seed(0)
    mirrored = Augmentation(gain_spread=0.0, noise=0.0, tracker_loss=0.0)(batch, inputs, readout)
    for column, (position, angle) in enumerate([(3, 1), (4, 2)]):
        flipped = mirrored.track[:, position] == -batch.track[:, position]
        assert 0.25 < flipped.float().mean() < 0.75
        assert torch.equal(flipped, mirrored.track[:, angle] == -batch.track[:, angle])
        sign = torch.where(flipped, -1.0, 1.0)[batch.event]
        assert torch.equal(mirrored.hits[:, column], batch.hits[:, column] * sign)
    assert torch.equal(mirrored.track[:, [0, 5]], batch.track[:, [0, 5]])


def test_gains_spread_as_asked(batch: PackedBatch, inputs: NetworkInputs, readout: Readout) -> None:
    torch.manual_seed(0)
    changed = Augmentation(mirror=False, noise=0.0, tracker_loss=0.0)(batch, inputs, readout)
    has_energy = batch.hits[:, 3] > 0
    gain = changed.hits[has_energy, 3] / batch.hits[has_energy, 3] - 1
    # the standard error of a spread measured with n hits is spread / sqrt(2 n)
    assert gain.std().item() == pytest.approx(0.04, abs=5 * 0.04 / (2 * len(gain)) ** 0.5)
    assert torch.equal(changed.track, batch.track)


def test_the_input_is_left_alone(batch: PackedBatch, inputs: NetworkInputs, readout: Readout) -> None:
    before = {item.name: getattr(batch, item.name).clone() for item in fields(batch)}
    Augmentation()(batch, inputs, readout)
    for name, values in before.items():
        torch.testing.assert_close(getattr(batch, name), values, rtol=0, atol=0, equal_nan=True)


def of_kind(batch: PackedBatch, inputs: NetworkInputs, tracker: bool) -> torch.Tensor:
    """Hits of trackers, or of all other detectors."""
    is_tracker = torch.tensor([item.kind == "tracker" for item in inputs.detectors])
    return is_tracker[batch.detector] == tracker


def test_noise_has_the_size_of_the_detector_and_hides_hits_below_threshold(
    batch: PackedBatch, inputs: NetworkInputs, readout: Readout
) -> None:
    torch.manual_seed(0)
    noisy = Augmentation(mirror=False, gain_spread=0.0, noise=1.0, tracker_loss=0.0)(batch, inputs, readout)
    ecal = inputs.detector_names.index("ECAL")
    (threshold, noise) = (inputs.detectors[ecal].threshold, inputs.detectors[ecal].noise)
    assert (noisy.hits[noisy.detector == ecal, 3] >= threshold).all()
    assert len(noisy.event) < len(batch.event)
    assert torch.equal(noisy.event, noisy.event.sort().values)
    high = batch.hits[:, 3] > 1.0  # far above the threshold: none is lost, order is kept
    before = batch.hits[high & (batch.detector == ecal), 3]
    after = noisy.hits[(noisy.hits[:, 3] > 1.0 - 6 * noise) & (noisy.detector == ecal), 3]
    close = torch.cdist(before[:, None], after[:, None]).min(dim=1).values
    assert close.max() < 6 * noise
    tracker = of_kind(batch, inputs, tracker=True)
    assert torch.equal(noisy.hits[of_kind(noisy, inputs, tracker=True)][:, :4], batch.hits[tracker][:, :4])


def test_tracker_hits_are_lost_as_often_as_asked(batch: PackedBatch, inputs: NetworkInputs, readout: Readout) -> None:
    torch.manual_seed(0)
    lossy = Augmentation(mirror=False, gain_spread=0.0, noise=0.0, tracker_loss=0.2)(batch, inputs, readout)
    n_before, n_after = (int(of_kind(part, inputs, tracker=True).sum()) for part in (batch, lossy))
    assert n_after / n_before == pytest.approx(0.8, abs=5 * (0.2 * 0.8 / n_before) ** 0.5)
    assert of_kind(lossy, inputs, tracker=False).sum() == of_kind(batch, inputs, tracker=False).sum()


def test_calorimeter_channels_die_as_often_as_asked(
    batch: PackedBatch, inputs: NetworkInputs, readout: Readout
) -> None:
    torch.manual_seed(0)
    off = Augmentation(mirror=False, gain_spread=0.0, noise=0.0, tracker_loss=0.0, dead_channels=0.1)
    changed = off(batch, inputs, readout)
    in_calorimeter = readout.is_calorimeter[batch.detector]
    n_before, n_after = int(in_calorimeter.sum()), int(readout.is_calorimeter[changed.detector].sum())
    assert n_after / n_before == pytest.approx(0.9, abs=5 * (0.1 * 0.9 / n_before) ** 0.5)
    assert (~readout.is_calorimeter[changed.detector]).sum() == (~in_calorimeter).sum()


def test_hits_that_a_wider_shower_brings_below_threshold_are_lost(
    batch: PackedBatch, inputs: NetworkInputs, readout: Readout
) -> None:
    wider = Augmentation(mirror=False, gain_spread=0.0, noise=0.0, tracker_loss=0.0, lateral_scale=(1.8, 1.8))
    changed = wider(batch, inputs, readout)
    cells = ~readout.is_tracker[changed.detector]
    assert (changed.hits[cells, 3] >= readout.threshold[changed.detector[cells]]).all()
    assert len(changed.hits) > len(batch.hits)  # cells that had nothing now have energy


def test_all_changes_together_leave_a_batch_that_a_network_takes(
    batch: PackedBatch, inputs: NetworkInputs, readout: Readout, network: EdgeConvNetwork
) -> None:
    torch.manual_seed(0)
    everything = Augmentation(dead_channels=0.03, lateral_scale=(1.0, 1.8), pile_up=PileUp(0.5, of_class="dark_photon"))
    changed = everything(batch, inputs, readout)
    assert torch.equal(changed.event, changed.event.sort().values)
    logits = network(changed.hits, changed.detector, changed.event, changed.track)
    assert logits.shape == (batch.n_events, len(inputs.classes))
    assert torch.isfinite(logits).all()
