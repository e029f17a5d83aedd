"""The page around the tabs: layout, events, routes, theme, and how requests run."""
