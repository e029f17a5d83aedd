"""The whole recipe of a profile: which runs it has, in which order, and what comes of them."""
