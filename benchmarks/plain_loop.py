"""A peer of image_training.py: torchvision's ImageFolder and transforms, a DataLoader, and a loop as in tutorials.

After "Training a Classifier" and "Performance Tuning Guide" (docs.pytorch.org): two workers, pinned memory where there
is a GPU, no gradients in validation, gradients set to None.
"""

import argparse
import time

import torch
from peer import DECAY, SIDE, SMOOTHING, network, parse, say, workers
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


def folders(data: str) -> tuple[datasets.ImageFolder, datasets.ImageFolder]:
    """The training part, augmented, and the validation part."""
    plain = [transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    moved = [transforms.RandomCrop(SIDE, padding=4, padding_mode="reflect"), transforms.RandomHorizontalFlip()]
    train = datasets.ImageFolder(f"{data}/train", transforms.Compose([*moved, *plain]))
    return train, datasets.ImageFolder(f"{data}/val", transforms.Compose(plain))


def loader(
    folder: datasets.ImageFolder, asked: argparse.Namespace, cuda: bool, shuffle: bool
) -> "DataLoader[tuple[Tensor, Tensor]]":
    """Batches of a part."""
    return DataLoader(
        folder, asked.batch_size, shuffle=shuffle, drop_last=shuffle, num_workers=workers(asked), pin_memory=cuda
    )


def main() -> None:
    asked = parse()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    learned, held_out = folders(asked.data)
    train, val = (loader(part, asked, device.type == "cuda", part is learned) for part in (learned, held_out))
    model = network(asked, len(learned.classes)).to(device)
    optimiser = torch.optim.AdamW(model.parameters(), lr=asked.lr, weight_decay=DECAY)
    steps = asked.epochs * len(train)
    warmup = max(0.1, 2 / steps)  # a warm-up of a single step is a division by zero there
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, asked.lr, total_steps=steps, pct_start=warmup)
    criterion = nn.CrossEntropyLoss(label_smoothing=SMOOTHING)
    for epoch in range(1, asked.epochs + 1):
        began = time.monotonic()
        model.train()
        for inputs, truth in train:
            optimiser.zero_grad(set_to_none=True)
            logits = model(inputs.to(device, non_blocking=True))
            criterion(logits, truth.to(device, non_blocking=True)).backward()
            optimiser.step()
            schedule.step()
        if device.type == "cuda":
            torch.cuda.synchronize()
        speed = len(train) * asked.batch_size / (time.monotonic() - began)
        model.eval()
        with torch.no_grad():
            right = sum(int((model(inputs.to(device)).argmax(1) == truth.to(device)).sum()) for inputs, truth in val)
        say(epoch, asked, right / len(held_out), speed)


if __name__ == "__main__":
    main()
