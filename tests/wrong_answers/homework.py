"""The homework."""

# A student's homework: two shapes of one's own.
OWN_SHAPES = """
def cross(draw, box, color):
    left, top, right, bottom = box
    third = (right - left) / 3
    draw.rectangle((left + third, top, right - third, bottom), fill=color)
    draw.rectangle((left, top + third, right, bottom - third), fill=color)


def house(draw, box, color):
    left, top, right, bottom = box
    middle = (top + bottom) / 2
    triangle(draw, (left, top, right, middle), color)
    draw.rectangle((left + 4, middle, right - 4, bottom), fill=color)


SHAPES = {"circle": circle, "square": square, "cross": cross, "house": house}
classes = list(SHAPES)
"""

TWO_CLASSES = """
SHAPES = {"cross": cross, "small house": house}
classes = list(SHAPES)
"""

WRONG_HOMEWORK = {
    "own-classes": [
        ("check('learned', (1, 2))", "learned: not attempted yet. First come classes"),
        ("check('ends', ('logits', 'before'))", "ends: not attempted yet. First come classes"),
        ("check('function', {})", "function: not attempted yet. First come classes"),
        ("check('stack', {})", "stack: not attempted yet. First come classes"),
        (
            "SHAPES = {'circle': circle, 'square': square, 'triangle': triangle, 'star': circle}",
            "two of them new",
        ),
        (
            "SHAPES = {'circle': circle, 'square': square, 'ox': None, 'hut': None}",
            "ox has no function",
        ),
        (
            "SHAPES = {'circle': circle, 'square': square, 'ball': circle, 'box': square}",
            "ball draws the same as circle",
        ),
        (
            "SHAPES = {'ball': circle, 'box': square, 'tent': triangle, 'my, star': circle}",
            "'my, star' is not a name for a class",
        ),
        ("SHAPES = {'ball': circle, 'box': square, 'tent': triangle}", "here are 3, 3 new"),
        ("SHAPES = ['cup']", "Two classes or more are asked for; here is 1"),
        ("SHAPES = ['cup', 'plate, soup']", "'plate, soup' is not a name for a class"),
        (OWN_SHAPES, "✓ own-classes: right"),
        ("check('ends', ('sigmoid', 'before'))", "One sigmoid tells two classes apart; here are 4"),
        (TWO_CLASSES, "✓ own-classes: right"),
    ],
    "ends": [
        ("LAST = 'sofmax'", "'sofmax' is none of: logits, softmax, sigmoid"),
        ("LAST, SCALING = 'logits', 'nowhere'", "'nowhere' is none of: before, inside"),
        ("LAST, SCALING = 'sigmoid', 'inside'", "the probability of small house"),
    ],
    "learned": [
        ("see = lambda image: 'circle'", "More pictures or epochs"),
        ("see = lambda image: image.colour", "in your line 1: see = lambda image: image.colour"),
    ],
    "function": [
        ("answer = {'dress': 1.0}", "The function answers with: dress"),
        ("answer = dict.fromkeys(classes, 0.0)", "not give Keras's scores"),
    ],
    "stack": [
        ("stack_answer = None", "DEPLOY is False"),
        ("stack_answer = {'message': 'Forbidden'}", "generated/aws.log may say why"),
        ("stack_answer = {'prediction': 'hat', 'scores': {'hat': 1.0}}", "answers with: hat"),
    ],
}
