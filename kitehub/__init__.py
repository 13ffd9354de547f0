"""KiteHub, the control plane of a Vietnamese teaching SaaS."""
