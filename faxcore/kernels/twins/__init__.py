"""The definitions of the kernels in plain NumPy and Python: slow, readable, and the oracle of the C ones."""
