# %% int8-speed
def median_ms(runtime, precision):
    """The median milliseconds of a request with our model."""
    (found,) = (
        each["request_ms"]["as documented"]["median"]
        for each in contenders
        if (each["model"], each["runtime"], each["precision"]) == ("ours", runtime, precision)
    )
    return found


factors = {
    runtime: median_ms(runtime, "float32") / median_ms(runtime, "int8")
    for runtime in ("tflite-runtime", "litert")
}


# %% gb-seconds
def gb_seconds(milliseconds, memory_mb):
    """The gigabyte-seconds of one request."""
    return milliseconds / 1000 * memory_mb / 1024


# %% cheapest-memory
def cheapest(milliseconds, limit):
    """The memory in MB at which a request costs least, if it may take at most limit ms."""
    fast_enough = [memory for memory, ms in milliseconds.items() if ms <= limit]
    return min(fast_enough, key=lambda memory: gb_seconds(milliseconds[memory], memory))
