"""What the graph of a bag of n-grams and what is computed beside it have to agree on. Torch-free."""

# The number of an n-gram is (the number of all but its last word, plus that word) * MULTIPLIER, modulo a prime. No
# product reaches 2**62, so that they are the same in every engine.
MULTIPLIER = 1_000_000_007
PRIME = 2**31 - 1
# What the network's logits count for, and the bag's for the rest. Each with the spread that the smallest log loss asks
# for (on training parts that were left out), those of the network are to be taken about twice as seriously.
NETWORK_SHARE = 0.7
