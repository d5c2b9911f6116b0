"""What every plugin promises.

Run it in your own repository, from any folder:

    pytest --pyargs core.testing.contract -k NAME

Without `-k` every installed plugin is checked. `rapport plugin check NAME` does the
same and prints the fourteen points with what is wrong and what to do.
"""
