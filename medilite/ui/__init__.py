"""The page of MediLite: a folder for each tab, and the pure parts beside them.

`app.build_ui(engine, profile, settings)` puts it together. Handlers take an
engine by its protocol; nothing here imports an engine's implementation.
Files that need no Gradio (`comparison`, `cards`, `links`, `history`, …) don't
import it, so that they can be tested in milliseconds.
"""
