"""What the lessons share and no lesson is about. You can follow all of them without reading this.

Beginning a lesson and files that appear whole (lesson), finding and checking what it works on
(inputs, samples, kinds, photos), a button for a photo of one's own (own_photo), the file of a model
(formats, content, older, saved_models, trust), what is in it (models, plain, ends), a TensorFlow Lite
model in its place (tflite, plain_tflite), or an ONNX file (onnx_models), how pictures are prepared (preparing), what scores mean
(meaning), scores and models compared (comparing), slow conversions
(converting), pictures and tables (drawings), a web server and AWS's Lambda runtime on this machine
(servers), all of AWS there (aws), a bucket full of pictures (bucket), what AWS charges (costs), what
needs an environment of its own (environments), and what the training needs beside Keras (augmenting,
torch_weights, training). The tests use the same functions. Nothing here imports
TensorFlow before a lesson does.
"""

from .augmenting import mixed, varied
from .aws import (
    LocalAws,
    bundle,
    deploy,
    local_aws,
    outputs,
    piece,
    prepare_sam,
    start_aws,
    try_aws,
)
from .bucket import keys, result_rows, state_machine, variations, watch
from .comparing import (
    check_export,
    check_same,
    compare,
    installed_mb,
    largest_difference,
    leave_answers,
    loads,
    package_sizes,
    runtimes,
    same_answers,
    size_mb,
)
from .converting import attempt
from .drawings import bars, best, chain, drawing, gallery, show, table, threads
from .ends import scores_kind
from .formats import (
    keep_model,
    load_kept_model,
    loading,
    model_file,
    read_model,
)
from .inputs import (
    check_parameters,
    class_names,
    classes_text,
    open_photo,
    picture_file,
    size,
    whole_number,
)
from .kinds import pictures_in
from .lesson import (
    Problem,
    begin,
    error_shown,
    load,
    load_measurements,
    one_line,
    require,
    run,
    save,
)
from .meaning import KINDS, one_per_class, probabilities
from .models import check_course_scores, check_model, layers
from .older import open_to_older_keras
from .onnx_models import expected_scores, leave_answer
from .own_photo import photo_button, your_photo
from .photos import Origin, origins, photos_by_class, photos_folder
from .plain import library_of, plain
from .preparing import pixels, preprocess_input, preprocessing, resizing
from .samples import SAMPLES, sample_pictures
from .servers import (
    Runtime,
    answer_of,
    emulator,
    lambda_runtime,
    outcome,
    outcome_in_own_process,
    web_server,
)
from .torch_weights import torch_weights
from .training import load_checkpoint, save_checkpoint, save_for_prediction
