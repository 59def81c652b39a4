import torch

from na64ml.events.batch import EventBatch
from na64ml.models.inputs import NetworkInputs
from na64ml.models.layers import LayerFinder


def test_hits_belong_to_the_layer_of_their_detector_depth_and_axis(
    inputs: NetworkInputs, few_events: EventBatch
) -> None:
    finder = LayerFinder(inputs)
    z, axis = torch.from_numpy(few_events.hits[:, 2]), torch.from_numpy(few_events.hits[:, 5])
    detector = torch.from_numpy(few_events.detector).long()
    layer = finder(z, axis, detector)
    torch.testing.assert_close(finder.z[layer], z, rtol=0, atol=1e-3)
    assert torch.equal(finder.axis[layer], axis)
    assert torch.equal(finder.detector[layer], detector)
    assert len(layer.unique()) == len(finder)


def test_shifted_planes_keep_their_layers(inputs: NetworkInputs, few_events: EventBatch) -> None:
    finder = LayerFinder(inputs)
    z, axis = torch.from_numpy(few_events.hits[:, 2]), torch.from_numpy(few_events.hits[:, 5])
    detector = torch.from_numpy(few_events.detector).long()
    assert torch.equal(finder(z + 60, axis, detector), finder(z, axis, detector))


def test_a_hit_far_from_everything_stays_in_its_detector(inputs: NetworkInputs) -> None:
    finder = LayerFinder(inputs)
    ecal = inputs.detector_names.index("ECAL")
    found = finder(torch.tensor([-1e6, 1e6]), torch.zeros(2), torch.full((2,), ecal))
    assert finder.detector[found].tolist() == [ecal, ecal]
