# %% raw-samples
def predict_raw(file):
    """Scores of a picture that was not scaled."""
    x = walk.pixels(file, model.input_shape, chosen["RESIZE"])
    preds = model.predict(np.array([x], dtype="float32"), verbose=0)
    row = walk.one_per_class(preds[0], chosen["SCORES"])
    return dict(zip(classes, row.tolist()))


changed = [
    file.split("/")[-1].removesuffix(".png")
    for file in pictures
    if walk.best(predict_raw(file)) != walk.best(predict(file))
]


# %% reversed-classes
scores = predict(pictures[0])
found = walk.best(dict(zip(classes[::-1], scores.values())))


# %% softmax-of-a-batch
def softmax(logits):
    """Probabilities: logits of shape (pictures, classes) to an array of the same shape."""
    highest = logits.max(axis=1, keepdims=True)  # so that exp() cannot overflow
    exponentials = np.exp(logits - highest)
    return exponentials / exponentials.sum(axis=1, keepdims=True)


# %% least-sure
def least_sure(scores):
    """The name of the picture whose answer has the lowest probability."""

    def sureness(name):
        return max(walk.probabilities(list(scores[name].values()), chosen["SCORES"]))

    return min(scores, key=sureness)
