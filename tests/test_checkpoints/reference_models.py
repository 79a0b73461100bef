"""The reference's two models in plain PyTorch, as small as they can be said.

Written from the architecture's papers and the list of keys, without MMPose
and without the package: their ``state_dict()`` has the reference's keys, and
what they compute is what a converted checkpoint must compute.
"""

import torch
from torch import nn
from torch.nn import functional

RESNETS = {
    18: (False, (2, 2, 2, 2)),
    34: (False, (3, 4, 6, 3)),
    50: (True, (3, 4, 6, 3)),
    101: (True, (3, 4, 23, 3)),
    152: (True, (3, 8, 36, 3)),
}


def conv(i: int, o: int, size: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(i, o, size, stride, size // 2, bias=False)


def conv_bn(i: int, o: int, size: int, stride: int, relu: bool):
    layers = [conv(i, o, size, stride), nn.BatchNorm2d(o)]
    return nn.Sequential(*layers, *([nn.ReLU()] if relu else []))


class Block(nn.Module):
    """A residual block; the stride is in the first 3 x 3 convolution."""

    def __init__(self, i: int, width: int, stride: int, bottleneck: bool):
        super().__init__()
        o = width * 4 if bottleneck else width
        sizes = (1, 3, 1) if bottleneck else (3, 3)
        channels = (i, *[width] * (len(sizes) - 1), o)
        strided = sizes.index(3)
        self.depth = len(sizes)
        for n, size in enumerate(sizes):
            step = stride if n == strided else 1
            layer = conv(channels[n], channels[n + 1], size, step)
            setattr(self, f'conv{n + 1}', layer)
            setattr(self, f'bn{n + 1}', nn.BatchNorm2d(channels[n + 1]))
        if stride != 1 or i != o:
            self.downsample = conv_bn(i, o, 1, stride, relu=False)

    def forward(self, x):
        y = x
        for n in range(1, self.depth + 1):
            y = getattr(self, f'bn{n}')(getattr(self, f'conv{n}')(y))
            y = functional.relu(y) if n < self.depth else y
        shortcut = getattr(self, 'downsample', None)
        return functional.relu(y + (shortcut(x) if shortcut else x))


def blocks(i: int, width: int, number: int, stride: int, bottleneck: bool):
    o = width * 4 if bottleneck else width
    first = Block(i, width, stride, bottleneck)
    rest = [Block(o, width, 1, bottleneck) for _ in range(number - 1)]
    return nn.Sequential(first, *rest)


def final_layer(i: int, joints: int, size: int) -> nn.Conv2d:
    return nn.Conv2d(i, joints, size, 1, 1 if size == 3 else 0)


class SimpleBaseline(nn.Module):
    """ResNet, deconvolutions, a layer of heatmaps (arXiv 1804.06208)."""

    def __init__(
        self,
        depth=18,
        joints=17,
        filters=(256, 256, 256),
        kernels=(4, 4, 4),
        final=1,
    ):
        super().__init__()
        bottleneck, numbers = RESNETS[depth]
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        i = 64
        for n, number in enumerate(numbers):
            width = 64 * 2**n
            layer = blocks(i, width, number, 1 if n == 0 else 2, bottleneck)
            setattr(self, f'layer{n + 1}', layer)
            i = width * 4 if bottleneck else width
        layers = []
        padding = {4: (1, 0), 3: (1, 1), 2: (0, 0)}
        for o, kernel in zip(filters, kernels, strict=True):
            layers += [
                nn.ConvTranspose2d(
                    i, o, kernel, 2, *padding[kernel], bias=False
                ),
                nn.BatchNorm2d(o),
                nn.ReLU(),
            ]
            i = o
        self.deconv_layers = nn.Sequential(*layers)
        self.final_layer = final_layer(i, joints, final)

    def forward(self, x):
        x = functional.relu(self.bn1(self.conv1(x)))
        x = functional.max_pool2d(x, 3, 2, 1)
        for n in range(1, 5):
            x = getattr(self, f'layer{n}')(x)
        return self.final_layer(self.deconv_layers(x))


class Exchange(nn.Module):
    """A module of HRNet: branches side by side, then each from all."""

    def __init__(self, channels, numbers, outputs: int, bottleneck=False):
        super().__init__()
        wide = [c * 4 if bottleneck else c for c in channels]
        self.branches = nn.ModuleList(
            blocks(i, c, n, 1, bottleneck)
            for i, c, n in zip(wide, channels, numbers, strict=True)
        )
        self.fuse_layers = nn.ModuleList(
            nn.ModuleList(self.path(wide, j, i) for j in range(len(wide)))
            for i in range(outputs)
        )

    @staticmethod
    def path(channels, source: int, target: int):
        """From one branch to another; nothing where they are the same."""
        i, o = channels[source], channels[target]
        if source == target:
            return None
        if source > target:
            up = nn.Upsample(scale_factor=2 ** (source - target))
            return nn.Sequential(*conv_bn(i, o, 1, 1, relu=False), up)
        steps = [
            conv_bn(i, i, 3, 2, relu=True) for _ in range(target - source - 1)
        ]
        return nn.Sequential(*steps, conv_bn(i, o, 3, 2, relu=False))

    def forward(self, xs):
        xs = [branch(x) for branch, x in zip(self.branches, xs, strict=True)]
        return [
            functional.relu(
                sum(
                    x if path is None else path(x)
                    for path, x in zip(paths, xs, strict=True)
                )
            )
            for paths in self.fuse_layers
        ]


class HighResolution(nn.Module):
    """HRNet with heatmaps from its first branch (arXiv 1902.09212).

    Args:
        width: Channels of the first branch; each further one has twice.
        modules: Number of modules of stages 2 to 4.
        numbers: Blocks per branch in a module.
        bottleneck: Kind of the blocks of stages 2 to 4.
    """

    def __init__(
        self,
        width=32,
        joints=17,
        modules=(1, 4, 3),
        numbers=(4, 4, 4, 4),
        final=1,
        bottleneck=False,
    ):
        super().__init__()
        self.conv1, self.bn1 = conv(3, 64, 3, 2), nn.BatchNorm2d(64)
        self.conv2, self.bn2 = conv(64, 64, 3, 2), nn.BatchNorm2d(64)
        self.layer1 = blocks(64, 64, 4, 1, bottleneck=True)
        before = [256]
        for n, number in enumerate(modules):
            channels = [width * 2**branch for branch in range(n + 2)]
            wide = [c * 4 if bottleneck else c for c in channels]
            setattr(self, f'transition{n + 1}', self.transition(before, wide))
            last = [
                1 if n == 2 and m == number - 1 else n + 2
                for m in range(number)
            ]
            stage = [
                Exchange(channels, numbers[: n + 2], outputs, bottleneck)
                for outputs in last
            ]
            setattr(self, f'stage{n + 2}', nn.Sequential(*stage))
            before = wide
        self.final_layer = final_layer(before[0], joints, final)

    @staticmethod
    def transition(before, after):
        layers = []
        for n, channels in enumerate(after):
            if n < len(before):
                same = channels == before[n]
                layers.append(
                    None if same else conv_bn(before[n], channels, 3, 1, True)
                )
            else:
                new = conv_bn(before[-1], channels, 3, 2, relu=True)
                layers.append(nn.Sequential(new))
        return nn.ModuleList(layers)

    def forward(self, x):
        x = functional.relu(self.bn1(self.conv1(x)))
        x = functional.relu(self.bn2(self.conv2(x)))
        xs = [self.layer1(x)]
        for n in (1, 2, 3):
            layers = getattr(self, f'transition{n}')
            xs = [
                (xs[i] if i < len(xs) else xs[-1])
                if layer is None
                else layer(xs[min(i, len(xs) - 1)])
                for i, layer in enumerate(layers)
            ]
            xs = getattr(self, f'stage{n + 1}')(xs)
        return self.final_layer(xs[0])


def randomised(cls: type[nn.Module], *args, seed=0, **kwargs) -> nn.Module:
    """A model with random weights and statistics, no two of them alike."""
    generator = torch.Generator().manual_seed(seed)
    with torch.device('meta'):
        model = cls(*args, **kwargs)
    model.to_empty(device='cpu')
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if name.endswith('num_batches_tracked'):
                value.fill_(7)
            elif name.endswith('running_var'):
                value.uniform_(0.5, 1.5, generator=generator)
            elif value.ndim == 4:
                spread = (value[0].numel() / 2) ** -0.5
                value.normal_(0, spread, generator=generator)
            elif name.endswith('weight'):
                value.uniform_(0.5, 1, generator=generator)
            else:
                value.normal_(0, 0.1, generator=generator)
    return model.eval()


def shapes(model: nn.Module) -> dict[str, tuple[int, ...]]:
    return {k: tuple(v.shape) for k, v in model.state_dict().items()}
