"""docs/language.md: the grammar as prose, and every word from the table."""

from multicnn.language.others import HIDDEN
from multicnn.language.vocabulary import SECTIONS

INTRODUCTION = f"""\
# A language for architectures

A network can be written out wherever `--arch` takes a name:

    multicnn train image flowers/ --arch "[[conv3-64 bn relu]*2 pool2]*3 [fc512 relu drop0.5]*1 fc"
    multicnn train text reviews.csv --arch "conv3-100 relu gmp drop0.5 fc" --vectors glove.txt
    multicnn arch show "INPUT -> [[CONV -> RELU]*2 -> POOL?]*3 -> [FC -> RELU]*1 -> FC"

## Grammar

    pattern  =  part, part, ...            joined by a space or by ->
    part     =  layer | [pattern]          a group, or one layer
    *N       =  N times                    behind a layer or a group; 1 where it is left out, 0 leaves it out
    layer    =  word numbers /step :modifier :modifier
    numbers  =  3-64                       joined by -; 3x1 is one number for each axis
    ?        =  optional                   behind a layer: left out where it does not fit

Upper and lower case are the same, INPUT says nothing, and where numbers are left out a layer has those of the
tables below: `CONV` is `conv3` with 64 channels, twice as many whenever the maps have shrunk, 512 at most (VGG's
rule); `POOL` is `pool2`; `FC` has {HIDDEN} neurons, and the classes where it is the last layer.

A name may stand for a number: `[conv3-64 relu]*N` with `--set model.options.N=3`; `classes` is the number of
classes, so a pattern may also end with `conv1-classes gap`. A pattern has to end with a number for each class.

Every layer sees what the one before it gives. A convolution in front of `bn` has no bias, and in front of `fc` maps
are flattened. The layers' names in the trained model are their words: `features.conv1`, `features.relu1`,
`head.fc1`; the head begins with the first layer that gives a vector.

## Sizes have to come out

A window of F with stride S, padding P and dilation D turns W places into (W - (D (F - 1) + 1) + 2 P)/S + 1. A
convolution keeps the size at stride 1 and has no padding at a larger stride; a pooling has none. Modifiers say
otherwise:

| modifier | is |
|---|---|
| `:same` | as much padding as gives ceil(W/S) places |
| `:pN` | N places of padding at either end |
| `:valid` | no padding |
| `:floor` | rounding down is accepted |
| `:dN` | dilation N |

Where the size does not come out whole, or nothing is left, the pattern is refused, with the formula and what would
work:

    $ multicnn arch show "conv3-8/2 relu gap fc" --input 3x10x10
    multicnn: conv3-8/2 on 10 x 10: (10 - 3 + 2*0)/2 + 1 = 4.5 is not whole; conv4-8/2 (4), ... would work
      conv3-8/2 relu gap fc
      ^^^^^^^^^

Ready-made blocks (`res64/2`, `transition`) and everything along time round down, as their papers do.

## Pictures, sounds, texts

The pipeline decides over how many axes the layers work.

- **Pictures**: two, height and width.
- **Sounds**: two, frequency and time of the spectrogram; with `--set audio.frontend=waveform` one, the samples.
- **Texts**: one, the words, as vectors of `model.options.embedding` numbers (300, or as many as `--vectors` has).
  Time has no fixed length, so it has to be pooled (`gmp`, `gap`, `att`, `gem`, `kmax3`, `region4`, `spp`) before
  `fc`. Padding never counts: each text is answered as if it stood alone. Layers that look at the whole text without
  a mask, such as `in` and `gn`, are refused.
- `arch show PATTERN --input` takes `3x32x32` for pictures, `1x8000` for a waveform, `1x16x32x32` for volumes and
  `56` for a text of 56 words.

HyperNetworks' per-example kernels, StyleBank and graph convolutions need a second input (an embedding, a class, a
graph), so they are not layers of a chain; in Python they are in `multicnn.blocks`.
"""


def language_page() -> str:
    """The whole page."""
    parts = [INTRODUCTION]
    for title, words in SECTIONS.items():
        rows = ["| layer | is | axes | modifiers |", "|---|---|---|---|"]
        for word in words.values():
            axes = "any" if 0 in word.dims else ", ".join(map(str, word.dims))
            modifiers = " ".join(f"`:{name}`" for name in word.modifiers)
            rows.append(f"| `{word.form}` | {word.says} | {axes} | {modifiers} |")
        parts += [f"## {title}\n", "\n".join(rows) + "\n"]
    return "\n".join(parts)
