"""The data sets that `multicnn data get` knows."""

from multicnn.data.known.cifar import CIFAR10, CIFAR100
from multicnn.data.known.esc50 import ESC10, ESC50
from multicnn.data.known.fsdd import FSDD
from multicnn.data.known.gtzan import GTZAN, GTZAN_FILTERED
from multicnn.data.known.imdb import IMDB
from multicnn.data.known.known import Known
from multicnn.data.known.mnist import FASHION_MNIST, MNIST
from multicnn.data.known.pang_lee import MR, SUBJ
from multicnn.data.known.speechcommands import SPEECHCOMMANDS
from multicnn.data.known.sst2 import SST2
from multicnn.data.known.trec import TREC
from multicnn.data.known.urbansound8k import URBANSOUND8K
from multicnn.errors import UsageError, did_you_mean

KNOWN = {
    known.name: known
    for known in (
        *(ESC50, ESC10, URBANSOUND8K, GTZAN, GTZAN_FILTERED, SPEECHCOMMANDS, FSDD),
        *(CIFAR10, CIFAR100, MNIST, FASHION_MNIST),
        *(MR, SUBJ, SST2, TREC, IMDB),
    )
}


def find_known(name: str) -> Known:
    """The data set of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in KNOWN:
        raise UsageError(f"no data set {name} is known{did_you_mean(name, KNOWN)} ({', '.join(KNOWN)})")
    return KNOWN[name]
