"""The tab Leaderboard: the committed numbers, and what the votes say."""
