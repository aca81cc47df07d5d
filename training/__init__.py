"""Makes the weights that the rules ship with. Not part of the product: it needs scikit-learn (requirements-bench)."""
