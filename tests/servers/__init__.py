"""Servers of ours on loopback that speak, and enforce, the documented wire formats of model vendors."""
