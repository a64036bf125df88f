# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""The compiled twin of `inference.serving.bounds.count_values`: it leaves the interpreter to other threads."""


def count_values(bytes body not None, /):
    """See `inference.serving.bounds.count_values`."""
    cdef const unsigned char* data = body
    cdef Py_ssize_t size = len(body), index = 0, found = 0
    cdef unsigned char byte
    cdef bint in_string = False
    with nogil:
        while index < size:
            byte = data[index]
            if in_string:
                if byte == 92:  # a backslash: what follows it does not end the string
                    index += 1
                elif byte == 34:  # "
                    in_string = False
            elif byte == 34:
                in_string = True
            elif byte == 44 or byte == 91 or byte == 123:  # , [ {
                found += 1
            index += 1
    return found
