"""What staff do to a school: suspend it, finish its opening, move it, close it and open it again.

Each asks for a permission of its own and for the reason; what can't be taken back, or blocks a
school, also for its subdomain typed again. Long work is a job, which `work` shows.
"""
