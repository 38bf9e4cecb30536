"""Every error code of the tools that make, measure and describe weights."""

from __future__ import annotations

from nightshift.words.errors import AnyCode, Fault

CLIENT, _, OPERATOR, _ = Fault


class TrainingCode(AnyCode):
    """The codes of training/; what is wrong with a bundle itself has an `Code`."""

    CHIPS_NOT_GIVEN = "chips_not_given", CLIENT
    """Measuring needs the chips, and nothing says where they are.
    `--chips utkface_chips.zip`."""
    CHIPS_NOT_FOUND = "chips_not_found", CLIENT
    """There is no archive of chips at this path.
    Look at the path."""
    CHIPS_NOT_ZIP = "chips_not_zip", CLIENT
    """The archive of chips is no zip, or a damaged one.
    Fetch it again."""
    CHIPS_EMPTY = "chips_empty", CLIENT
    """The archive holds no file that is named as UTKFace names its chips.
    Is it the archive of the aligned chips?"""
    CHIPS_PART_EMPTY = "chips_part_empty", CLIENT
    """The archive has chips, but none of the part that is wanted: training, validation or calibration.
    Take the whole archive."""
    CHIP_UNREADABLE = "chip_unreadable", CLIENT
    """A chip is no picture, or larger than a chip can be.
    Fetch the archive again."""
    BAD_RECIPE = "bad_recipe", CLIENT
    """The recipe of a run cannot be, or its file cannot be read.
    The message names the value."""
    BAD_STAGES = "bad_stages", CLIENT
    """`--stages` does not read like `64:4,96:4`, or has a size or a number of epochs that cannot be.
    Give SIZE:EPOCHS, with commas between."""
    BAD_START = "bad_start", CLIENT
    """The weights to start from are of another kind than those to be trained.
    Choose others, or begin without."""
    BAD_TEACHER = "bad_teacher", CLIENT
    """The bundle that is to teach has other classes, bins or normalisation than training.
    Choose another."""
    BAD_SOURCE = "bad_source", CLIENT
    """The bundle that is to be calibrated has other classes, bins or normalisation than training.
    Choose another."""
    TEACHERS_UNREADABLE = "teachers_unreadable", CLIENT
    """The file with the teachers' answers cannot be read.
    Look at the path, or make it again."""
    TEACHERS_FORMAT = "teachers_format", CLIENT
    """The file with the teachers' answers lacks something, or holds what cannot be.
    Make it again."""
    TEACHERS_MISSING = "teachers_missing", CLIENT
    """The teachers have no answer for some of the chips.
    Make the answers of all chips."""
    RUN_EXISTS = "run_exists", CLIENT
    """The folder holds a training run.
    Add `--resume`, or choose another folder."""
    NO_RUN = "no_run", CLIENT
    """The folder holds no training run.
    Look at the path."""
    OTHER_RECIPE = "other_recipe", CLIENT
    """The run was begun with another recipe.
    Go on with that one, or choose another folder."""
    NO_CHECKPOINT = "no_checkpoint", CLIENT
    """The run has not come so far that there are weights.
    Go on with it: `--resume`."""
    BAD_CHECKPOINT = "bad_checkpoint", OPERATOR
    """The run's checkpoint cannot be read, or cannot be written.
    Look at the disk; an earlier copy of the folder will do."""
    NO_LOG = "no_log", CLIENT
    """The run has no log yet, from which to draw.
    Wait for its first epoch."""
    NO_EVALUATION = "no_evaluation", CLIENT
    """There is no evaluation to write the card from.
    `make card CHIPS=utkface_chips.zip`."""
    FAILURES_NOT_SEEN = "failures_not_seen", CLIENT
    """Nobody has looked at the mistakes of these weights.
    Look at them, and write down what you see where the message says."""
    CARD_STALE = "card_stale", CLIENT
    """The card, or the README, says something else than the evaluation.
    `make card CHIPS=utkface_chips.zip`."""
    WEIGHTS_NOT_FOUND = "weights_not_found", CLIENT
    """The folder lacks the weights that are to be imported.
    Look at the path."""
    WEIGHTS_SHA256 = "weights_sha256", CLIENT
    """The weights to be imported are not those that this tool knows.
    Fetch them again."""
    WEIGHTS_UNREADABLE = "weights_unreadable", CLIENT
    """The weights to be imported cannot be read.
    Fetch them again."""
    WEIGHTS_LAYERS = "weights_layers", CLIENT
    """The weights to be imported have other layers than expected.
    Fetch them again."""
