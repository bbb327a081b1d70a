# %% what-is-open
doors = ["Page", "Admin", "Address"]


# %% worst-month
month = 30 * 24 * 3600
dollars = (50 - 5) * month * (CALL + 20 * HTTP_REQUEST)


# %% signatures
reasons = {"first": "region", "second": "clock", "third": "body", "fourth": "service"}
