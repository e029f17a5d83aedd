"""How the votes' database came to its present tables, one file a step; Alembic runs them when a store is opened."""
