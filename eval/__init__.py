"""Evaluation: answers generated, scored, compared and laid out as a leaderboard; stages hand over files only."""
