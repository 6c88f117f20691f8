"""All words of the language, by what they do."""

from multicnn.language.convolutions import CONVOLUTIONS
from multicnn.language.others import OTHERS
from multicnn.language.pools import POOLS
from multicnn.language.words import Word

SECTIONS: dict[str, dict[str, Word]] = {
    "Convolutions and blocks": CONVOLUTIONS,
    "Pooling": POOLS,
    "Everything else": OTHERS,
}
VOCABULARY: dict[str, Word] = {name: word for section in SECTIONS.values() for name, word in section.items()}
