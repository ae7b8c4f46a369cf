"""The work in the background: jobs and the sources that are pulled."""
