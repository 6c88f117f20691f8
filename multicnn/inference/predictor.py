"""Arrays in, probabilities out, through ONNX Runtime. Never imports torch."""

from collections.abc import Sequence

import numpy as np

from multicnn.bundle.read import Bundle
from multicnn.data.decode import default_workers
from multicnn.errors import MulticnnError, UsageError
from multicnn.pipeline import Kind, Reader, load_reader

FATAL = 4  # onnxruntime's severities: 0 verbose, 1 info, 2 warning, 3 error, 4 fatal; errors reach us as exceptions


class Predictor:
    """A trained model, ready to be asked.

    Graph optimisation is ORT_ENABLE_ALL. DenseNet-121 at 224 x 224 on two cores: creating the session takes 0.03 s
    longer than with ORT_ENABLE_BASIC, each picture after that 0.016 s instead of 0.024 s.

    Args:
        bundle: what `open_bundle` gave.
        threads: how many threads compute; None for the cores that this process may use, 16 at most.

    Attributes:
        labels: the classes, in the order of the columns of `probabilities`.
        pipeline: image, audio or text.
        reader: from bytes or text to the array of one example.
        side_by_side: how many batches to compute at once. A folded graph's operations are too short to be divided among
            threads: each batch has one, and several batches run beside each other.

    Raises:
        UsageError: the model cannot be loaded by this version of ONNX Runtime or of multicnn.
    """

    def __init__(self, bundle: Bundle, threads: int | None = None) -> None:
        import onnxruntime

        self.labels: list[str] = bundle.meta["labels"]
        self.pipeline: Kind = bundle.meta["pipeline"]
        self.reader = reader_of(bundle)
        onnxruntime.set_default_logger_severity(FATAL)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = FATAL
        # A number of our own also keeps onnxruntime from pinning threads, which fails loudly in containers.
        threads = threads or default_workers()
        self.side_by_side = threads if str(bundle.meta.get("graph", "")).startswith("folded") else 1
        options.intra_op_num_threads = threads // self.side_by_side
        try:
            self._session = onnxruntime.InferenceSession(bundle.model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's exceptions share no other base class
            raise UsageError(f"{bundle.model} cannot be loaded: {_one_line(error)}") from None
        self._input = self._session.get_inputs()[0].name

    def probabilities(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        """The probability of each class for each of a batch of examples, in one run of the model.

        Args:
            arrays: what `reader.read` gave, one array per example; at least one.

        Returns:
            [batch, classes] float32; a row that is not finite says that the model cannot compute this example.

        Raises:
            MulticnnError: the model failed.
        """
        try:
            (result,) = self._session.run(None, {self._input: self.reader.collate(arrays)})
        except Exception as error:
            raise MulticnnError(
                f"the model failed on a batch of {len(arrays)}: {_one_line(error)}; try a smaller --batch-size"
            ) from None
        probabilities: np.ndarray = result
        return probabilities


def reader_of(bundle: Bundle) -> Reader:
    """The reader of a trained model.

    Raises:
        UsageError: this version of multicnn does not know it.
    """
    try:
        return load_reader(bundle.meta["pipeline"], bundle.meta["reader"])
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{bundle.model}: this multicnn does not know such an input ({error}); update it") from None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
