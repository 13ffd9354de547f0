"""The PostgreSQL vocabulary that every app shares, from fields to the servers it speaks to.

It knows nothing of the apps, and importing it connects to nothing.
"""
