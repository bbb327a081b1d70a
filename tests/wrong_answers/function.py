"""The exercises of lessons 1 to 4: from the model to the function."""

WRONG = {
    # lesson 1
    "raw-samples": [
        ("changed = []", "The jeans survive"),
        ("changed = [file.split('/')[-1] for file in pictures]", "Compare the classes"),
        ("changed = ['coat']", "there are more"),
        ("changed = ['coat', 'flat shoe']", "There is no sample called flat shoe"),
        ("changed = 'coat'", "A list is asked for"),
        ("changed = {'coat': 'hat'}", "A list is asked for"),
    ],
    "reversed-classes": [
        ("found = walk.best(predict(pictures[0]))", "positions, not names"),
        ("found = 'trousers'", "They are: dress"),
        ("found = 'skirt'", "from the same end"),
        ("found = ['skirt']", "A text is asked for"),
    ],
    "softmax-of-a-batch": [
        ("def softmax(logits):\n    return np.exp(logits) / np.exp(logits).sum()", "Which axis"),
        ("def softmax(logits):\n    return np.exp(logits) / np.exp(logits).sum(axis=0)", "columns"),
        (
            "def softmax(logits):\n    return np.exp(logits) / np.exp(logits).sum(axis=1)",
            "in your line 2: return np.exp(logits) / np.exp(logits).sum(axis=1)",
        ),
        (
            "def softmax(logits):\n    return logits / logits.sum(axis=1, keepdims=True)",
            "first comes the exponential",
        ),
        (
            "def softmax(logits):\n    p = np.exp(logits)",
            "What does the last line of the function return?",
        ),
        ("def softmax(logits):\n    return {'cup': 1.0}", "An array is asked for"),
        ("def softmax():\n    return 1", "Does your def have the same?"),
    ],
    "least-sure": [
        (
            "def least_sure(scores):\n"
            "    return min(scores, key=lambda name: max(scores[name].values()))",
            "Probabilities can be compared",
        ),
        (
            "def least_sure(scores):\n"
            "    return max(scores, key=lambda name: max(scores[name].values()))",
            "The lowest of the highest",
        ),
        ("def least_sure(scores):\n    return 0.5", "The name of a picture"),
    ],
    # lesson 2
    "float16-size": [
        ("megabytes = model.count_params() * 4 / 1e6", "half the bits"),
        ("megabytes = model.count_params() * 16 / 1e6", "Bytes have 8"),
        ("megabytes = model.count_params() * 2", "1,000,000 of them"),
        ("megabytes = model.count_params() * 2 / 1024**2", "mebibytes"),
        ("megabytes = '6.8'", "without quotation marks"),
    ],
    "run-tflite": [
        (
            "def run_tflite(file, x):\n"
            "    interpreter = tf.lite.Interpreter(file)\n"
            "    interpreter.allocate_tensors()\n"
            "    interpreter.set_tensor(0, x[np.newaxis])\n"
            "    return interpreter.get_tensor(interpreter.get_output_details()[0]['index'])[0]",
            "Which step runs the model?",
        ),
        (
            "def run_tflite(file, x):\n"
            "    interpreter = tf.lite.Interpreter(file)\n"
            "    interpreter.allocate_tensors()\n"
            "    interpreter.set_tensor(interpreter.get_input_details()[0]['index'], x)",
            "the batch is one more, in front",
        ),
        (
            "def run_tflite(file, x):\n"
            "    interpreter = tf.lite.Interpreter(file)\n"
            "    interpreter.set_tensor(0, x[np.newaxis])",
            "Which step is missing?",
        ),
        (
            "def run_tflite(file, x):\n"
            "    interpreter = tf.lite.Interpreter(file)\n"
            "    interpreter.allocate_tensors()\n"
            "    interpreter.set_tensor(0, x[np.newaxis])\n"
            "    interpreter.invoke()\n"
            "    return interpreter.get_tensor(interpreter.get_output_details()[0]['index'])",
            "take the first row",
        ),
    ],
    "one-picture": [
        (
            "tflite_model = open('generated/clothing-model.tflite', 'rb').read()",
            "Without optimizations",
        ),
        (
            "tflite_model = open('generated/clothing-model-dynamic-range.tflite', 'rb').read()",
            "That is dynamic range",
        ),
        (
            "tflite_model = open('generated/clothing-model-int8.tflite', 'rb').read()",
            "one picture instead of many",
        ),
        ("tflite_model = b'model'", "convert() returns it"),
    ],
    "smallest-model": [
        (
            "def smallest(variants, runtime, pictures):\n"
            "    return min(variants, key=lambda name: variants[name]['bytes'])",
            "does not load",
        ),
        (
            "def smallest(variants, runtime, pictures):\n"
            "    fit = [n for n, v in variants.items() if v['loads_in'][runtime] == 'yes']\n"
            "    return min(fit, key=lambda name: variants[name]['bytes'])",
            "Every picture has to be right",
        ),
        (
            "def smallest(variants, runtime, pictures):\n"
            "    return min(v['bytes'] for v in variants.values())",
            "The name of a variant",
        ),
    ],
    # lesson 3
    "turned": [
        ("seen = 'outwear'", "Which of the two was scored?"),
        ("seen = 'boots'", "They are: dress"),
        ("seen = 'hat'", "by 90 degrees"),
    ],
    "picture-event": [
        (
            "import base64\n\n\ndef picture_event(file):\n"
            "    return {'image': base64.b64encode(open(file, 'rb').read())}",
            "JSON has only text",
        ),
        (
            "def picture_event(file):\n"
            "    return {'image': str(base64.b64encode(open(file, 'rb').read()))}",
            "shows them",
        ),
        (
            "def picture_event(file):\n"
            "    return {'image': base64.b64encode(file.encode()).decode()}",
            "What has to travel?",
        ),
        (
            "def picture_event(file):\n    return {'image': base64.b64encode(file)}",
            "bytes into letters, not text",
        ),
        (
            "def picture_event(file):\n    return base64.b64encode(open(file, 'rb').read())",
            "looks for the key 'image'",
        ),
    ],
    "short-handler": [
        (
            "import base64\nfrom io import BytesIO\n\n\n"
            "def lambda_handler(event, context):\n"
            "    picture = Image.open(BytesIO(base64.b64decode(event['image'])))\n"
            "    interpreter.set_tensor(input_index, preprocessor.convert_to_tensor(picture))\n"
            "    interpreter.invoke()\n"
            "    return dict(zip(classes, interpreter.get_tensor(output_index)[0]))",
            "One method of an array",
        ),
        (
            "def lambda_handler(event, context):\n"
            "    picture = Image.open(BytesIO(base64.b64decode(event['image'])))\n"
            "    interpreter.set_tensor(input_index, preprocessor.convert_to_tensor(picture))\n"
            "    interpreter.invoke()\n"
            "    return interpreter.get_tensor(output_index)[0].tolist()",
            "give each score its name",
        ),
        (
            "def lambda_handler(event, context):\n"
            "    picture = Image.open(BytesIO(event['image'].encode()))",
            "base64 has to be undone first",
        ),
        (
            "def lambda_handler(event, context):\n    return score(preprocessor.from_path(COAT))",
            "It calls score",
        ),
        (
            "def lambda_handler(event, context):\n"
            "    picture = Image.open(BytesIO(base64.b64decode(event['image'])))\n"
            "    interpreter.set_tensor(input_index, preprocessor.convert_to_tensor(picture))\n"
            "    return dict(zip(classes, interpreter.get_tensor(output_index)[0].tolist()))",
            "Which step runs the model?",
        ),
        (
            "def lambda_handler(event, context):\n"
            "    interpreter.set_tensor(input_index, preprocessor.from_path(COAT))\n"
            "    interpreter.invoke()\n"
            "    return dict(zip(classes, interpreter.get_tensor(output_index)[0].tolist()))",
            "Score the picture of the event",
        ),
    ],
    "top": [
        (
            "def top(scores, k):\n    return sorted(scores.items(), key=lambda pair: pair[1])[:k]",
            "Which way round",
        ),
        ("def top(scores, k):\n    return sorted(scores.items())[:k]", "by their first part"),
        ("def top(scores, k):\n    return scores", "A list keeps the order"),
        (
            "def top(scores, k):\n    return sorted(scores, key=scores.get, reverse=True)[:k]",
            "pairs of name and score",
        ),
        (
            "def top(scores, k):\n"
            "    return sorted(scores.items(), key=lambda pair: -pair[1])[: k - 1]",
            "A slice [:n] has n items",
        ),
        ("top = [('outwear', 5.0)]", "its name alone, without the brackets"),
        ("class top:\n    pass", "A function is asked for"),
    ],
    # lesson 4
    "both-keys": [
        ("winner = 'url'", "for which key does it look first?"),
        ("winner = 'outwear'", "Is it the image or the url?"),
    ],
    "durations": [
        (
            "import re\n\n\ndef durations(log):\n"
            "    lines = [line for line in log if line.startswith('REPORT')]\n"
            "    return [float(re.search(r'Duration: ([0-9.]+)', line)[1]) for line in lines]",
            "Init Duration",
        ),
        (
            "def durations(log):\n"
            "    lines = [line for line in log if line.startswith('REPORT')]\n"
            "    return [float(line.split('Billed Duration: ')[1].split()[0]) for line in lines]",
            "rounded up",
        ),
        (
            "def durations(log):\n"
            "    return [float(re.search(r'\\tDuration: ([0-9.]+)', line)[1]) for line in log]",
            "START and END have none",
        ),
        (
            "def durations(log):\n    return re.findall(r'\\tDuration: ([0-9.]+)', ''.join(log))",
            "One can calculate with numbers",
        ),
    ],
    "own-key": [
        ("exported = 'notebooks/exercises/own/lambda_function.py'", "The command makes it"),
        ("exported = 'lambda/lambda_function.py'", "Export the copy"),
        (
            "copy = 'notebooks/exercises/own/03-predict.ipynb'\n"
            "walk.run(\n"
            "    'jupyter nbconvert --to script --config lambda/nbconvert_config.py '\n"
            "    f'--output-dir notebooks/exercises/own {copy}'\n"
            ")\n"
            "exported = 'notebooks/exercises/own/lambda_function.py'",
            "no key prediction",
        ),
        (
            "from pathlib import Path\n\n"
            "exported = Path('notebooks/exercises/own/lambda_function.py')\n"
            "text = exported.read_text().replace(\n"
            "    'return score(preprocessor.convert_to_tensor(picture))',\n"
            '    \'return {"prediction": "outwear"}\',\n'
            ")\n"
            "_ = exported.write_text(text)",
            "Change the notebook, and export it",
        ),
    ],
}
