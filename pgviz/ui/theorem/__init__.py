"""The theorem page, act by act, in the order in which it is read.

Every number comes from `measure.theorem` or from a receipt; here it is only placed.
"""
