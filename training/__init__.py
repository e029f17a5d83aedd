"""Training: MedQuAD's pairs prepared, adapters trained by SFT and GRPO; stages hand over files only."""
