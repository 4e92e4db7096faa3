"""Closed forms and references, one file a sheet: what the checks compare answers with.

Each says where it comes from. Shapes follow the data: a sample is a tensor of shape (n,).
Everything is computed in float64.
"""
