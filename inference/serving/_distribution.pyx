# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""The compiled twin of `inference.serving.distribution.Distribution`: counts a value in a tenth of the time."""

from cpython.mem cimport PyMem_Calloc, PyMem_Free

from inference.serving.distribution import cumulated


cdef class Distribution:
    """A histogram's numbers; see `inference.serving.distribution`. Not thread-safe."""

    cdef double* bounds
    cdef long long* counts      # one more than there are bounds
    cdef Py_ssize_t size
    cdef double total

    def __cinit__(self, bounds, /):
        self.size = len(bounds)
        self.bounds = <double*>PyMem_Calloc(self.size + 1, sizeof(double))
        self.counts = <long long*>PyMem_Calloc(self.size + 1, sizeof(long long))
        if self.bounds == NULL or self.counts == NULL:
            raise MemoryError
        cdef Py_ssize_t index
        for index in range(self.size):
            self.bounds[index] = bounds[index]

    def __dealloc__(self):
        PyMem_Free(self.bounds)
        PyMem_Free(self.counts)

    cpdef void add(self, double value):
        """Count a value; a bound counts itself in."""
        cdef Py_ssize_t low = 0, high = self.size, middle
        while low < high:
            middle = (low + high) // 2
            if self.bounds[middle] < value:
                low = middle + 1
            else:
                high = middle
        self.counts[low] += 1
        self.total += value

    def read(self):
        """Upper bound and how many values lie at or below it, as Prometheus wants them; and the sum of all."""
        cdef Py_ssize_t index
        bounds = [self.bounds[index] for index in range(self.size)]
        return cumulated(bounds, [self.counts[index] for index in range(self.size + 1)]), self.total
