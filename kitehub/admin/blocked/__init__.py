"""“Why is it blocked?”: a school's page that says so in words, with evidence and what would help.

`causes` works it out from facts alone, `facts` gathers these, `words` writes both for people, and
`page` shows it.
"""
