"""What GRPO rewards: plain functions of a text, each from −1 (worst) to 1 (best), and their form for TRL.

`form` is about how an answer reads and whether it stays an answer, `faithful` about whether it says what the references
say, `claimed` about whether it says no more than they do, `trl_form` weighs them as the configuration says. No reward
suffices alone: easy words without content earn `readability` and lose `f1`, a copied question the reverse;
tests/training/test_rewards_together.py tries such answers.
"""

from training.rewards.claimed import f1_reward, found_in, grounded_reward, precision_reward, supported_reward
from training.rewards.faithful import closeness_reward, copied_reward, key_terms_reward
from training.rewards.form import (
    echo_reward,
    ending_reward,
    jargon_reward,
    length_reward,
    readability_reward,
    repetition_reward,
    sentences_reward,
)
from training.rewards.trl_form import (
    Limit,
    RewardFunction,
    reward_columns,
    reward_functions,
    text_of,
)

__all__ = [
    "Limit",
    "RewardFunction",
    "closeness_reward",
    "copied_reward",
    "echo_reward",
    "ending_reward",
    "f1_reward",
    "found_in",
    "grounded_reward",
    "jargon_reward",
    "key_terms_reward",
    "length_reward",
    "precision_reward",
    "readability_reward",
    "repetition_reward",
    "reward_columns",
    "reward_functions",
    "sentences_reward",
    "supported_reward",
    "text_of",
]
