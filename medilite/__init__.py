"""MediLite: six checkpoints of one small model answer health questions side by side.

Importing this package loads no torch, no transformers and no gradio; they load
inside the functions that need them.
"""

__version__ = "0.1.0"
