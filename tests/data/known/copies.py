"""Small copies of published data sets, laid out as the real ones are."""

import gzip
import struct
import zipfile
from pathlib import Path

import numpy as np
from data.making import pack, write

Content = dict[str, bytes | str]

ESC_HEADER = "filename,fold,target,category,esc10,src_file,take\n"
ESC50: Content = {
    "ESC-50-master/meta/esc50.csv": ESC_HEADER
    + "1-100032-A-0.wav,1,0,dog,True,100032,A\n1-100038-A-14.wav,1,14,chirping_birds,False,100038,A\n"
    + "2-5-B-0.wav,2,0,dog,True,5,B\n",
    "ESC-50-master/audio/1-100032-A-0.wav": b"dog 1",
    "ESC-50-master/audio/1-100038-A-14.wav": b"bird",
    "ESC-50-master/audio/2-5-B-0.wav": b"dog 2",
    "ESC-50-master/README.md": "none of this",
}
URBANSOUND8K: Content = {
    "UrbanSound8K/metadata/UrbanSound8K.csv": "slice_file_name,fsID,start,end,salience,fold,classID,class\n"
    + "100032-3-0-0.wav,100032,0.0,0.317551,1,5,3,dog_bark\n7061-6-0-0.wav,7061,0.0,1.1,1,10,6,gun_shot\n",
    "UrbanSound8K/audio/fold5/100032-3-0-0.wav": b"bark",
    "UrbanSound8K/audio/fold10/7061-6-0-0.wav": b"shot",
    "UrbanSound8K/audio/.DS_Store": b"",
}
GTZAN: Content = {
    f"genres/{genre}/{genre}.{number:05}.wav": f"{genre} {number}"
    for genre, number in (
        *(("blues", 12), ("disco", 50), ("disco", 51), ("disco", 70)),
        *(("metal", 58), ("rock", 16), ("rock", 99), ("jazz", 25)),
    )
}
SPEECHCOMMANDS: Content = {
    "./validation_list.txt": "bed/0a0b_nohash_0.wav\n",
    "./testing_list.txt": "cat/ffff_nohash_1.wav\n",
    "./bed/0a0b_nohash_0.wav": b"bed",
    "./cat/ffff_nohash_1.wav": b"cat",
    "./cat/1234_nohash_0.wav": b"another cat",
    "./_background_noise_/pink_noise.wav": b"noise",
}
FSDD: Content = {
    f"free-spoken-digit-dataset-master/recordings/{digit}_{speaker}_{index}.wav": f"{digit} {speaker} {index}"
    for digit in (0, 7)
    for speaker in ("george", "lucas")
    for index in (4, 5, 10)
}
MR: Content = {
    "rt-polaritydata.README.1.0.txt": "none of this",
    "rt-polaritydata/rt-polarity.pos": b"the rock is destined . \ncr\xe8me br\xfbl\xe9e , and\x85so on . \n",
    "rt-polaritydata/rt-polarity.neg": "simplistic , silly and tedious . \n",
}
SUBJ: Content = {
    "quote.tok.gt9.5000": "smart and alert , thirteen conversations is a small gem . \n",
    "plot.tok.gt9.5000": "the movie begins in the past . \nemerging from the human psyche . \n",
    "subjdata.README.1.0": "none of this",
}
SST2: Content = {
    "trees/train.txt": "(3 (2 (2 The) (2 Rock)) (4 (3 (2 is) (4 destined)) (2 .)))\n(2 (2 Neutral) (2 .))\n",
    "trees/dev.txt": "(0 (2 -LRB-) (1 (0 bad) (2 -RRB-)))\n",
    "trees/test.txt": "(1 (2 either\\/or) (1 dull))\n(4 (4 Good) (2 .))\n",
}
TREC: Content = {
    "train_5500.label": b"DESC:manner How did serfdom develop ?\nLOC:city Where is Bogot\xe1 ?\n",
    "TREC_10.label": "NUM:dist How far is it from Denver to Aspen ?\n",
}
IMDB: Content = {
    "aclImdb/train/pos/10_9.txt": "Late, and <br /> good",
    "aclImdb/train/pos/9_9.txt": "Great",
    "aclImdb/train/neg/0_1.txt": "Awful",
    "aclImdb/test/neg/3_2.txt": "Dull",
    "aclImdb/train/unsup/0_0.txt": "Who knows",
}


def cifar(label_bytes: int, labels: list[int]) -> bytes:
    """Rows of a batch: the class in all bytes before the pixels, whose planes are 1, 2 and 3 times the row's number."""
    rows = [
        bytes([label] * label_bytes) + b"".join(bytes([plane * row]) * 1024 for plane in (1, 2, 3))
        for row, label in enumerate(labels, start=1)
    ]
    return b"".join(rows)


CIFAR10: Content = {
    **{f"cifar-10-batches-bin/data_batch_{number}.bin": cifar(1, [0, 1]) for number in range(1, 6)},
    "cifar-10-batches-bin/test_batch.bin": cifar(1, [1]),
    "cifar-10-batches-bin/batches.meta.txt": "airplane\nautomobile\n\n",
    "cifar-10-batches-bin/readme.html": "none of this",
}
CIFAR100: Content = {
    "cifar-100-binary/train.bin": cifar(2, [0, 1]),
    "cifar-100-binary/test.bin": cifar(2, [1]),
    "cifar-100-binary/fine_label_names.txt": "apple\naquarium_fish\n",
    "cifar-100-binary/coarse_label_names.txt": "fish\nfruit\n",
}


def idx(array: np.ndarray) -> bytes:
    """An array of bytes as MNIST's files have it."""
    return gzip.compress(struct.pack(f">HBB{array.ndim}i", 0, 8, array.ndim, *array.shape) + array.tobytes())


MNIST: Content = {
    f"{part}-{what}-ubyte.gz": idx(array)
    for part, count in (("train", 3), ("t10k", 2))
    for what, array in (
        ("images-idx3", np.full((count, 28, 28), count, np.uint8)),
        ("labels-idx1", np.arange(count, dtype=np.uint8)),
    )
}

# name: content, the published archive (none: single files), how many examples
COPIES: dict[str, tuple[Content, str, int]] = {
    "esc50": (ESC50, "master.zip", 3),
    "esc10": (ESC50, "master.zip", 2),
    "urbansound8k": (URBANSOUND8K, "UrbanSound8K.tar.gz", 2),
    "gtzan": (GTZAN, "genres.tar.gz", 8),
    "gtzan_filtered": (GTZAN, "genres.tar.gz", 5),
    "speechcommands": (SPEECHCOMMANDS, "speech_commands_v0.02.tar.gz", 3),
    "fsdd": (FSDD, "master.tar.gz", 12),
    "cifar10": (CIFAR10, "cifar-10-binary.tar.gz", 11),
    "cifar100": (CIFAR100, "cifar-100-binary.tar.gz", 3),
    "mnist": (MNIST, "", 5),
    "fashion_mnist": (MNIST, "", 5),
    "mr": (MR, "rt-polaritydata.tar.gz", 3),
    "subj": (SUBJ, "rotten_imdb.tar.gz", 3),
    "sst2": (SST2, "trainDevTestTrees_PTB.zip", 4),
    "trec": (TREC, "", 3),
    "imdb": (IMDB, "aclImdb_v1.tar.gz", 4),
}


def make_copy(name: str, folder: Path) -> Path:
    """The published archive, or a folder with the published files."""
    content, archive, _ = COPIES[name]
    folder.mkdir(parents=True, exist_ok=True)
    if not archive:
        return write(folder, content)
    if archive.endswith(".zip"):
        with zipfile.ZipFile(folder / archive, "w", zipfile.ZIP_DEFLATED) as file:
            for member, data in content.items():
                file.writestr(member, data)
        return folder / archive
    return pack(folder / archive, content, "w:gz")
