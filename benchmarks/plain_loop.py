"""A peer of image_training.py: torchvision's ImageFolder and transforms, a DataLoader, and a loop as in tutorials.

After "Training a Classifier" and "Performance Tuning Guide" (docs.pytorch.org): two workers, pinned memory where there
is a GPU, no gradients in validation, gradients set to None.
"""

import argparse
import time

import torch
from peer import DECAY, SIDE, SMOOTHING, network, parse, say, workers
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


def loaders(asked: argparse.Namespace, cuda: bool) -> tuple[DataLoader, DataLoader]:
    """The training part, shuffled and augmented, and the validation part."""
    plain = [transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    moved = [transforms.RandomCrop(SIDE, padding=4, padding_mode="reflect"), transforms.RandomHorizontalFlip()]
    train = datasets.ImageFolder(f"{asked.data}/train", transforms.Compose([*moved, *plain]))
    val = datasets.ImageFolder(f"{asked.data}/val", transforms.Compose(plain))
    shared = {"batch_size": asked.batch_size, "num_workers": workers(asked), "pin_memory": cuda}
    return DataLoader(train, shuffle=True, drop_last=True, **shared), DataLoader(val, **shared)


def main() -> None:
    asked = parse()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    train, val = loaders(asked, device.type == "cuda")
    model = network(asked, len(train.dataset.classes)).to(device)
    optimiser = torch.optim.AdamW(model.parameters(), lr=asked.lr, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, asked.lr, epochs=asked.epochs, steps_per_epoch=len(train), pct_start=0.1
    )
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
        say(epoch, asked, right / len(val.dataset), speed)


if __name__ == "__main__":
    main()
