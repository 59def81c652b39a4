"""ParticleNet of weaver-core for its ``--network-config``; options choose the size, the precision and class weights."""

import torch
from torch import Tensor, nn
from weaver.nn.model import ParticleNet

SIZES = {
    "full": ([(16, (64, 64, 64)), (16, (128, 128, 128)), (16, (256, 256, 256))], [(256, 0.1)]),
    "lite": ([(7, (32, 32, 32)), (7, (64, 64, 64))], [(128, 0.1)]),
}
"""EdgeConv blocks (neighbours, widths) and fully connected layers (width, dropout)."""

_knn = ParticleNet.knn


def knn(x: Tensor, *arguments: object, **options: object) -> Tensor:
    """Find neighbours in single precision, also where the network computes in bfloat16."""
    with torch.autocast("cpu", enabled=False):
        return _knn(x.float(), *arguments, **options)


def get_graph_feature(x: Tensor, k: int, idx: Tensor, cpu_mode: bool = False) -> Tensor:
    """Return what weaver's function of this name does, with the channels last in memory, as they are read."""
    rows = x.transpose(1, 2)
    batch, hits, width = rows.shape
    first = hits * torch.arange(batch, device=x.device).view(-1, 1, 1)
    neighbours = rows.reshape(-1, width)[(idx + first).flatten()].view(batch, hits, k, width)
    own = rows.unsqueeze(2).expand_as(neighbours)
    return torch.cat((own, neighbours - own), dim=-1).permute(0, 3, 1, 2)


class Bfloat16(nn.Module):
    """A network that multiplies matrices in bfloat16; weaver's own ``--use-amp`` does so on GPUs only."""

    def __init__(self, mod: nn.Module) -> None:
        super().__init__()
        self.mod = mod

    def forward(self, points: Tensor, features: Tensor, mask: Tensor) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return self.mod(points, features, mask).float()


def get_model(data_config, size="lite", bfloat16=False, class_weights=None, **options):
    """Return the network and the description of its inputs that weaver's exporter needs."""
    torch.set_num_threads(1)
    blocks, head = SIZES[size]
    if bfloat16:
        ParticleNet.knn, ParticleNet.get_graph_feature = knn, get_graph_feature
    model = ParticleNet.ParticleNet(
        input_dims=len(data_config.input_dicts["pf_features"]),
        num_classes=len(data_config.label_value),
        conv_params=blocks,
        fc_params=head,
        **options,
    )
    if bfloat16:
        model = Bfloat16(model)
    names = list(data_config.input_names)
    info = {
        "input_names": names,
        "input_shapes": {name: (1, *data_config.input_shapes[name][1:]) for name in names},
        "output_names": ["softmax"],
        "dynamic_axes": {**{name: {0: "N", 2: "n_hits"} for name in names}, "softmax": {0: "N"}},
    }
    return model, info


def get_loss(data_config, class_weights=None, **options):
    """Return the cross entropy in which the classes count alike."""
    return nn.CrossEntropyLoss(weight=None if class_weights is None else torch.tensor(class_weights))
