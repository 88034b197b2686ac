"""The paper's two tables for any corpus: every row trained and tested alike, over several seeds."""
