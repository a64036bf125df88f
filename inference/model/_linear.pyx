# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The compiled version of `inference.model.linear.python_score` and of the links in `inference.model.links`.

It gives the same answers without a Python object per score: on a short text these would cost more than its n-grams.
"""

from cython cimport final
from cpython.array cimport array, clone, copy
from libc.math cimport exp

from array import array as make_array

from inference.model.scorer import Score

cdef enum:
    SOFTMAX = 0         # links
    SIGMOID = 1
    MODIFIED_HUBER = 2
    CALIBRATED = 3

cdef array _DOUBLES = make_array("d")


cdef inline double _sigmoid(double score) noexcept nogil:
    cdef double power
    if score >= 0.0:
        return 1.0 / (1.0 + exp(-score))
    power = exp(score)
    return power / (1.0 + power)


cdef void _softmax(const double* scores, Py_ssize_t labels, double* shares) noexcept nogil:
    """The share of each label, from the scores of every label except the first, whose score is 0."""
    cdef double highest = 0.0, total
    cdef Py_ssize_t label
    for label in range(labels - 1):
        highest = max(highest, scores[label])
    total = shares[0] = exp(-highest)
    for label in range(1, labels):
        shares[label] = exp(scores[label - 1] - highest)
        total += shares[label]
    for label in range(labels):
        shares[label] /= total


cdef void _complete(double* shares, Py_ssize_t width, Py_ssize_t labels) noexcept nogil:
    """Scale the shares of all labels to the sum 1; one share is that of the second of two labels."""
    cdef double total = 0.0
    cdef Py_ssize_t label
    if width == 1:
        shares[1] = shares[0]
        shares[0] = 1.0 - shares[1]
        return
    for label in range(labels):
        total += shares[label]
    for label in range(labels):
        shares[label] = shares[label] / total if total else 1.0 / labels


@final      # so that its methods are called directly, and inlined
cdef class LinearScore:
    """Scores texts with what the vectorizers add to the scores. Accepts any string; only lack of memory raises."""

    cdef tuple adds
    cdef array bias
    cdef array x                # the numbers of the calibrators, as in `inference.model.links.Calibrators`
    cdef array y
    cdef array ends
    cdef int link
    cdef bint isotonic
    cdef bint of_softmax        # the calibrators take probabilities
    cdef Py_ssize_t labels
    cdef Py_ssize_t members
    cdef Py_ssize_t width       # scores of one member
    cdef Py_ssize_t many        # calibrators of one member

    def __init__(self, weights, adds):
        """Take bias and link of `weights`, a checked `inference.model.linear_weights.LinearWeights`."""
        self.adds, self.labels, self.bias = tuple(adds), weights.labels, weights.bias
        self.link = {"softmax": SOFTMAX, "sigmoid": SIGMOID, "modified_huber": MODIFIED_HUBER,
                     "calibrated": CALIBRATED}[weights.link]
        self.members, self.width = 1, len(self.bias)
        if self.link == CALIBRATED:
            _, _, self.x, self.y, self.ends = weights.calibrators
            calibration = weights.calibrators.calibration
            self.isotonic, self.of_softmax = calibration.method == "isotonic", calibration.base == "softmax"
            self.members, self.width = calibration.members, calibration.scores(self.labels)
            self.many = calibration.calibrators(self.labels)
        if self.members * self.width != len(self.bias) or self.width not in (self.labels - 1, self.labels):
            raise ValueError(f"{len(self.bias)} scores cannot give the probabilities of {self.labels} labels")

    def score(self, str text not None, /):
        """The probability of each label; words are counted as the first vectorizer sees them."""
        cdef array scores = copy(self.bias)
        words, unknown = self.adds[0](text, scores)
        cdef Py_ssize_t index
        for index in range(1, len(self.adds)):
            self.adds[index](text, scores)
        cdef array shares = clone(_DOUBLES, 3 * self.labels, False)
        self._link(scores.data.as_doubles, shares.data.as_doubles)
        cdef tuple probabilities
        if self.labels == 2:
            probabilities = shares.data.as_doubles[0], shares.data.as_doubles[1]
        else:
            probabilities = tuple([shares.data.as_doubles[index] for index in range(self.labels)])
        return _new_tuple(Score, (probabilities, words, unknown))

    cdef void _link(self, const double* scores, double* shares) noexcept nogil:
        """The probabilities of the labels in `shares`, which has room for three numbers per label."""
        cdef Py_ssize_t index
        if self.link == SOFTMAX:
            _softmax(scores, self.labels, shares)
        elif self.link == CALIBRATED:
            self._calibrate(scores, shares)
        else:
            for index in range(self.width):
                if self.link == SIGMOID:
                    shares[index] = _sigmoid(scores[index])
                else:
                    shares[index] = (min(max(scores[index], -1.0), 1.0) + 1.0) / 2.0
            _complete(shares, self.width, self.labels)

    cdef void _calibrate(self, const double* scores, double* sums) noexcept nogil:
        """The mean of the members' probabilities."""
        cdef double* shares = sums + self.labels
        cdef double* softmax = sums + 2 * self.labels
        cdef const double* own
        cdef Py_ssize_t member, label, skipped = self.width - self.many
        for label in range(self.labels):
            sums[label] = 0.0
        for member in range(self.members):
            own = scores + member * self.width
            if self.of_softmax:
                _softmax(own, self.labels, softmax)
                own, skipped = softmax, self.labels - self.many     # of two labels only the second has a calibrator
            for label in range(self.many):
                shares[label] = self._calibrated(member * self.many + label, own[skipped + label])
            _complete(shares, self.many, self.labels)
            for label in range(self.labels):
                sums[label] += shares[label]
        for label in range(self.labels):
            sums[label] /= self.members

    cdef double _calibrated(self, Py_ssize_t calibrator, double score) noexcept nogil:
        cdef const unsigned int* ends = self.ends.data.as_uints
        cdef const double* x = self.x.data.as_doubles
        cdef const double* y = self.y.data.as_doubles
        cdef Py_ssize_t first = ends[calibrator - 1] if calibrator else 0, low = first, high = ends[calibrator], middle
        if not self.isotonic:
            return _sigmoid(-(x[first] * score + y[first]))
        while low < high:       # the first point that is not below the score
            middle = (low + high) // 2
            if x[middle] < score:
                low = middle + 1
            else:
                high = middle
        if low == first:
            return y[first]
        if low == <Py_ssize_t>ends[calibrator]:
            return y[low - 1]
        return (y[low] - y[low - 1]) / (x[low] - x[low - 1]) * (score - x[low - 1]) + y[low - 1]


_new_tuple = tuple.__new__
