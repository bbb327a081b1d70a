# %% batch-size
in_a_batch = next(
    size
    for size in range(1, 500)
    if batch_seconds(size) <= 30 and dollars(size) <= 1.1 * dollars(SCANS)
)


# %% comes-twice
left = {
    "objects": 3,  # the batch of three; and those of two and of one
    "rows": 6,
    "errors": 2,  # hat.png, in each of the two objects that name it
    "pictures": 3,
}


# %% tried-again
again = {
    "a picture is empty": 0,
    "a picture may not be read": 0,
    "no copy of the function is free": 8,
    "S3 answers SlowDown": 2,
    "the function's Timeout is over": 2,
}
