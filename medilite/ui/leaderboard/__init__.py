"""The tab Leaderboard: the committed numbers, and the results of the votes."""
