"""How n-grams of two and more words are numbered, in the graph and beside it. Torch-free."""

# The number of an n-gram is (the number of all but its last word, plus that word) * MULTIPLIER, modulo a prime. No
# product reaches 2**62, so that they are the same in every engine.
MULTIPLIER = 1_000_000_007
PRIME = 2**31 - 1
