"""Where Debian's Chromium is, and how it is started."""

import shutil

PATH = shutil.which("chromium") or shutil.which("chromium-browser")
# In a container there is neither a sandbox nor much shared memory.
OPTIONS = ["--no-sandbox", "--disable-dev-shm-usage"]
