"""Measurements. Figures are ratios to a peer measured in the same run; absolute ones depend on the machine."""
