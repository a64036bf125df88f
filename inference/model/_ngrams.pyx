# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The compiled version of `inference.model.ngrams.Ngrams`: the same results, without a Python object per n-gram.

An n-gram is found by a polynomial hash over its characters, which is extended by one character, or by one word, at a
time; what the table finds by its hash is compared character by character. The table does not change after loading: no
text can make a look-up longer than the longest run of occupied slots. Look-ups wait in a queue for the memory that they
have asked the processor for.

With a hashed vocabulary there is no table: MurmurHash3 of the n-gram's UTF-8, which is extended in the same way, gives the
bucket in which it counts.
"""

from cython cimport final
from cpython.array cimport array
from cpython.mem cimport PyMem_RawCalloc, PyMem_RawFree, PyMem_RawMalloc, PyMem_RawRealloc
from libc.math cimport fabs, log, sqrt
from libc.stdint cimport int32_t, uint32_t, uint64_t
from libc.string cimport memset

from inference.model.ngrams import prepare, tokens
from inference.model.scorer import Occurrence

cdef extern from "Python.h":
    int PyUnicode_KIND(object text)
    void* PyUnicode_DATA(object text)
    uint32_t PyUnicode_READ(int kind, const void* data, Py_ssize_t index) nogil
    int Py_UNICODE_ISALNUM(uint32_t character) nogil

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define FETCH(address) __builtin_prefetch(address)
    #else
    #define FETCH(address) ((void)(address))
    #endif
    """
    void FETCH(const void* address) noexcept nogil

cdef enum:
    QUEUE = 32          # look-ups that wait for their memory
    RELEASE = 16384     # a text of this many characters is read without holding the interpreter
    WORD = 0            # analyzers
    CHAR = 1
    CHAR_WB = 2

cdef uint64_t BASE = <uint64_t>0x9E3779B97F4A7C15


cdef struct Slot:       # of the table of terms: 16 bytes, four per cache line
    uint64_t hash
    int32_t term
    uint32_t length     # in characters; 0 marks an empty slot


cdef struct Text:
    const void* data
    Py_ssize_t length
    int kind


cdef struct Token:      # a word of the text
    uint64_t hash
    uint64_t power      # BASE to the power of its length
    Py_ssize_t start
    Py_ssize_t end


cdef struct Lookup:     # an n-gram that waits; `first` and `last` are characters, or words of the word analyzer
    uint64_t hash
    Py_ssize_t first
    Py_ssize_t last
    uint32_t length
    int32_t bucket      # with a hashed vocabulary
    int32_t sign        # of the bucket: -1 or 1
    bint smallest


cdef struct Count:
    int32_t term        # or bucket
    int32_t count       # in a bucket, n-grams that count as -1 are subtracted
    int32_t occurrences
    uint32_t row


cdef struct Found:
    Py_ssize_t start
    Py_ssize_t end
    int32_t term


cdef struct Murmur:     # a hash of bytes that are added one by one
    uint32_t value
    uint32_t block      # the bytes that wait for a block of four
    uint32_t length


cdef struct Scratch:    # memory and results of reading one text; the pointers except `found` share one block
    Text text
    Token* tokens
    Py_ssize_t words    # tokens
    Lookup[QUEUE] queue
    Py_ssize_t waiting
    Count* counts       # of the text's terms, in order of appearance
    double* values      # of the same terms
    double* products    # one per score
    uint32_t* places    # hash table of the terms: number in `counts`, from 1
    uint32_t mask
    Py_ssize_t terms
    Py_ssize_t smallest
    Py_ssize_t unknown
    bint record         # whether occurrences are recorded
    Found* found
    Py_ssize_t occurrences
    Py_ssize_t room     # of `found`
    bint failed         # out of memory


cdef unsigned char[128] IS_WORD
for _code in range(128):
    IS_WORD[_code] = chr(_code).isalnum() or chr(_code) == "_"


cdef inline bint _is_word(uint32_t character) noexcept nogil:
    return IS_WORD[character] if character < 128 else Py_UNICODE_ISALNUM(character) != 0


cdef inline uint64_t _extend(uint64_t hash, uint32_t character) noexcept nogil:
    return hash * BASE + character + 1


cdef inline uint64_t _mix(uint64_t hash) noexcept nogil:
    hash = (hash ^ (hash >> 32)) * <uint64_t>0xD6E8FEB86659FD93
    return hash ^ (hash >> 29)


cdef inline uint32_t _rotate(uint32_t value, int bits) noexcept nogil:
    return (value << bits) | (value >> (32 - bits))


cdef inline uint32_t _scramble(uint32_t block) noexcept nogil:
    return _rotate(block * <uint32_t>0xCC9E2D51, 15) * <uint32_t>0x1B873593


cdef inline void _begin(Murmur* hash) noexcept nogil:
    hash.value = hash.block = hash.length = 0


cdef inline void _add_byte(Murmur* hash, uint32_t byte) noexcept nogil:
    hash.block |= byte << (8 * (hash.length & 3))
    hash.length += 1
    if hash.length & 3 == 0:
        hash.value = _rotate(hash.value ^ _scramble(hash.block), 13) * 5 + <uint32_t>0xE6546B64
        hash.block = 0


cdef inline void _add_character(Murmur* hash, uint32_t character) noexcept nogil:
    if character < 0x80:
        _add_byte(hash, character)
        return
    if character < 0x800:
        _add_byte(hash, 0xC0 | (character >> 6))
    else:
        if character < 0x10000:
            _add_byte(hash, 0xE0 | (character >> 12))
        else:
            _add_byte(hash, 0xF0 | (character >> 18))
            _add_byte(hash, 0x80 | ((character >> 12) & 0x3F))
        _add_byte(hash, 0x80 | ((character >> 6) & 0x3F))
    _add_byte(hash, 0x80 | (character & 0x3F))


cdef inline uint32_t _finish(const Murmur* hash) noexcept nogil:
    cdef uint32_t value = (hash.value ^ _scramble(hash.block)) ^ hash.length
    value = (value ^ (value >> 16)) * <uint32_t>0x85EBCA6B
    value = (value ^ (value >> 13)) * <uint32_t>0xC2B2AE35
    return value ^ (value >> 16)


cdef inline uint32_t _at(const Text* text, Py_ssize_t index) noexcept nogil:
    return PyUnicode_READ(text.kind, text.data, index)


cdef Text _text(str text):
    cdef Text result
    result.data, result.length, result.kind = PyUnicode_DATA(text), len(text), PyUnicode_KIND(text)
    return result


cdef void* _allocate(size_t count, size_t size) except NULL:
    cdef void* memory = PyMem_RawCalloc(count + 1, size)
    if memory == NULL:
        raise MemoryError
    return memory


cdef uint64_t _power_above(uint64_t least) noexcept nogil:
    cdef uint64_t power = 64
    while power <= least:
        power *= 2
    return power


@final      # so that its methods are called directly, and inlined
cdef class Ngrams:
    """Reads texts as `inference.model.ngrams.Ngrams` does. Accepts any string; only lack of memory raises."""

    cdef object features
    cdef str terms              # the terms, one after the other
    cdef str stop_words         # joined, without duplicates
    cdef Text names             # of `terms`
    cdef Text stops             # of `stop_words`
    cdef Py_ssize_t* starts     # of each term in `terms`, and one more
    cdef Py_ssize_t* stop_starts
    cdef Slot* slots
    cdef Slot* stop_slots
    cdef uint64_t mask
    cdef uint64_t stop_mask
    cdef double* rows           # for each term, its idf and its weights
    cdef uint32_t* buckets      # the row of each bucket; NULL: the vocabulary is not hashed
    cdef bint alternate_sign
    cdef bint unseen            # an n-gram in a bucket of row 0 is unknown
    cdef Py_ssize_t size        # terms or buckets
    cdef Py_ssize_t scores
    cdef uint32_t longest       # characters of the longest term
    cdef int analyzer
    cdef Py_ssize_t least
    cdef Py_ssize_t most
    cdef bint binary
    cdef bint sublinear
    cdef bint has_pattern
    cdef bint binarizes
    cdef int norm               # 0: none
    cdef double threshold

    kind = "compiled"

    def __init__(self, weights):
        """Build the table from `weights`, an `inference.model.ngrams.NgramWeights`."""
        cdef const double[::1] idf = weights.idf
        cdef const double[::1] numbers = weights.weights
        cdef const unsigned int[::1] ends = weights.ends
        cdef Py_ssize_t term, score, rows = idf.shape[0]
        features = self.features = weights.features
        self.terms, self.size, self.scores = weights.terms, ends.shape[0], weights.scores
        hashing = features.hashing
        if (hashing is None and self.size != rows) or numbers.shape[0] != rows * self.scores or not self.size:
            raise ValueError(f"names and weights of {self.size} terms and {self.scores} scores are required")
        self.analyzer = {"word": WORD, "char": CHAR, "char_wb": CHAR_WB}[features.analyzer]
        self.least, self.most = features.ngram_range
        self.binary, self.sublinear, self.has_pattern = features.binary, features.sublinear_tf, features.pattern is not None
        self.norm = {None: 0, "l1": 1, "l2": 2}[features.norm]
        self.binarizes = weights.binarize_above is not None
        self.threshold = weights.binarize_above or 0.0
        self.rows = <double*>_allocate(rows * (1 + self.scores), sizeof(double))
        for term in range(rows):
            self.rows[term * (1 + self.scores)] = idf[term]
            for score in range(self.scores):
                self.rows[term * (1 + self.scores) + 1 + score] = numbers[term * self.scores + score]
        if hashing is None:
            self._name_terms(ends)
        else:
            self.alternate_sign, self.unseen = hashing.alternate_sign, hashing.unseen
            self.buckets = <uint32_t*>_allocate(self.size, sizeof(uint32_t))
            for term in range(self.size):
                self.buckets[term] = ends[term]
                if ends[term] >= <size_t>rows:
                    raise ValueError("every bucket must have a row")
        self._name_stop_words()

    cdef int _name_terms(self, const unsigned int[::1] ends) except -1:
        cdef Py_ssize_t term
        self.starts = <Py_ssize_t*>_allocate(self.size + 1, sizeof(Py_ssize_t))
        for term in range(self.size):
            self.starts[term + 1] = ends[term]
            if self.starts[term + 1] < self.starts[term] or self.starts[term + 1] > len(self.terms):
                raise ValueError("the ends of the terms must divide them")
        self.names = _text(self.terms)
        self.slots = self._table(&self.names, self.starts, self.size, &self.mask)
        return 0

    cdef int _name_stop_words(self) except -1:
        cdef Py_ssize_t term
        stop_words = sorted(set(self.features.stop_words)) if self.analyzer == WORD else []
        self.stop_words = "".join(stop_words)
        self.stops = _text(self.stop_words)
        self.stop_starts = <Py_ssize_t*>_allocate(len(stop_words) + 1, sizeof(Py_ssize_t))
        for term in range(len(stop_words)):
            self.stop_starts[term + 1] = self.stop_starts[term] + len(stop_words[term])
        if stop_words:
            self.stop_slots = self._table(&self.stops, self.stop_starts, len(stop_words), &self.stop_mask)
        return 0

    def __dealloc__(self):
        PyMem_RawFree(self.slots)
        PyMem_RawFree(self.stop_slots)
        PyMem_RawFree(self.rows)
        PyMem_RawFree(self.buckets)
        PyMem_RawFree(self.starts)
        PyMem_RawFree(self.stop_starts)

    cdef Slot* _table(self, const Text* names, const Py_ssize_t* starts, Py_ssize_t size, uint64_t* mask) except NULL:
        """A hash table of the names; of equal names the last one counts."""
        cdef Slot* slots = <Slot*>_allocate(_power_above(2 * size), sizeof(Slot))
        cdef Py_ssize_t name, at
        cdef uint64_t hash, place
        mask[0] = _power_above(2 * size) - 1
        for name in range(size - 1, -1, -1):
            if starts[name + 1] == starts[name]:
                continue        # an empty name: no n-gram of a text is empty but for odd token patterns
            hash = 0
            for at in range(starts[name], starts[name + 1]):
                hash = _extend(hash, _at(names, at))
            place = _mix(hash) & mask[0]
            while slots[place].length:
                place = (place + 1) & mask[0]
            slots[place].hash, slots[place].term = hash, <int32_t>name
            slots[place].length = <uint32_t>(starts[name + 1] - starts[name])
            if names == &self.names:
                self.longest = max(self.longest, slots[place].length)
        return slots

    cdef inline bint _same(self, const Text* names, Py_ssize_t at, const Text* text, Py_ssize_t start, Py_ssize_t end) noexcept nogil:
        while start < end:
            if _at(names, at) != _at(text, start):
                return False
            at += 1
            start += 1
        return True

    cdef inline bint _is_term(self, const Scratch* scratch, const Lookup* lookup, int32_t term) noexcept nogil:
        """Whether the n-gram has the characters of the term."""
        cdef Py_ssize_t at = self.starts[term], index
        cdef const Token* token
        if self.analyzer != WORD:
            return self._same(&self.names, at, &scratch.text, lookup.first, lookup.last)
        for index in range(lookup.first, lookup.last):
            token = &scratch.tokens[index]
            if index > lookup.first:
                if _at(&self.names, at) != 32:
                    return False
                at += 1
            if not self._same(&self.names, at, &scratch.text, token.start, token.end):
                return False
            at += token.end - token.start
        return True

    cdef inline void _push(self, Scratch* scratch, uint64_t hash, Py_ssize_t first, Py_ssize_t last, Py_ssize_t length, bint smallest) noexcept nogil:
        """Queue an n-gram for the table."""
        cdef Lookup* lookup
        if length > self.longest or length == 0:
            scratch.smallest += smallest
            scratch.unknown += smallest
            return
        lookup = self._queue(scratch, first, last, smallest)
        lookup.hash, lookup.length = hash, <uint32_t>length
        FETCH(&self.slots[_mix(hash) & self.mask])

    cdef inline void _push_hashed(self, Scratch* scratch, const Murmur* murmur, Py_ssize_t first, Py_ssize_t last, bint smallest) noexcept nogil:
        """Queue an n-gram for its bucket."""
        cdef Lookup* lookup = self._queue(scratch, first, last, smallest)
        cdef uint32_t hash = _finish(murmur)
        cdef bint negative = hash >> 31
        lookup.bucket = <int32_t>((0 - hash if negative else hash) % <uint32_t>self.size)
        lookup.sign = -1 if negative and self.alternate_sign else 1
        FETCH(&self.buckets[lookup.bucket])

    cdef inline Lookup* _queue(self, Scratch* scratch, Py_ssize_t first, Py_ssize_t last, bint smallest) noexcept nogil:
        cdef Lookup* lookup
        if scratch.waiting == QUEUE:
            self._drain(scratch)
        lookup = &scratch.queue[scratch.waiting]
        lookup.first, lookup.last, lookup.smallest = first, last, smallest
        scratch.waiting += 1
        return lookup

    cdef void _drain(self, Scratch* scratch) noexcept nogil:
        """Look up what waits, and count it."""
        cdef Py_ssize_t index
        if self.buckets != NULL:
            self._drain_hashed(scratch)
            return
        cdef Lookup* lookup
        cdef Slot* slot
        cdef uint64_t place
        cdef bint known
        for index in range(scratch.waiting):
            lookup = &scratch.queue[index]
            place = _mix(lookup.hash) & self.mask
            known = False
            while self.slots[place].length:
                slot = &self.slots[place]
                # Of equal names the last was added first.
                if slot.hash == lookup.hash and slot.length == lookup.length and self._is_term(scratch, lookup, slot.term):
                    self._count(scratch, slot.term, 1, lookup)
                    known = True
                    break
                place = (place + 1) & self.mask
            scratch.smallest += lookup.smallest
            scratch.unknown += lookup.smallest and not known
        scratch.waiting = 0

    cdef void _drain_hashed(self, Scratch* scratch) noexcept nogil:
        """Count what waits in its buckets."""
        cdef Py_ssize_t index
        cdef Lookup* lookup
        for index in range(scratch.waiting):
            lookup = &scratch.queue[index]
            self._count(scratch, lookup.bucket, lookup.sign, lookup)
            scratch.smallest += lookup.smallest
            scratch.unknown += lookup.smallest and self.unseen and self.buckets[lookup.bucket] == 0
        scratch.waiting = 0

    cdef inline const double* _row(self, const Count* count) noexcept nogil:
        return &self.rows[<Py_ssize_t>count.row * (1 + self.scores)]

    cdef inline void _count(self, Scratch* scratch, int32_t term, int32_t sign, const Lookup* lookup) noexcept nogil:
        cdef uint32_t place = (<uint32_t>term * <uint32_t>0x9E3779B1) >> 7 & scratch.mask
        cdef uint32_t number
        cdef Count* count
        while True:
            number = scratch.places[place]
            if number == 0:
                count = &scratch.counts[scratch.terms]
                count.term, count.count, count.occurrences = term, sign, 1
                count.row = self.buckets[term] if self.buckets != NULL else <uint32_t>term
                FETCH(self._row(count))
                scratch.terms += 1
                scratch.places[place] = <uint32_t>scratch.terms
                break
            if scratch.counts[number - 1].term == term:
                scratch.counts[number - 1].count += sign
                scratch.counts[number - 1].occurrences += 1
                break
            place = (place + 1) & scratch.mask
        if scratch.record:
            self._record(scratch, term if sign > 0 else ~term, lookup)

    cdef void _record(self, Scratch* scratch, int32_t term, const Lookup* lookup) noexcept nogil:
        cdef void* memory
        cdef Found* found
        if scratch.occurrences == scratch.room:
            memory = PyMem_RawRealloc(scratch.found, (2 * scratch.room + 64) * sizeof(Found))
            if memory == NULL:
                scratch.failed = True
                return
            scratch.found, scratch.room = <Found*>memory, 2 * scratch.room + 64
        found = &scratch.found[scratch.occurrences]
        found.term = term
        if self.analyzer == WORD:
            found.start, found.end = scratch.tokens[lookup.first].start, scratch.tokens[lookup.last - 1].end
        else:
            found.start, found.end = lookup.first, lookup.last
        scratch.occurrences += 1

    cdef void _read_characters(self, Scratch* scratch) noexcept nogil:
        cdef Py_ssize_t start = 0, end
        if self.analyzer == CHAR:
            self._read_region(scratch, 0, scratch.text.length)
            return
        while start < scratch.text.length:      # each word has a blank on both sides
            end = start + 1
            while _at(&scratch.text, end) != 32:
                end += 1
            self._read_region(scratch, start, end + 1)
            start = end + 1

    cdef void _read_region(self, Scratch* scratch, Py_ssize_t start, Py_ssize_t end) noexcept nogil:
        """The n-grams of characters; of `char_wb`, a word that is shorter than all of them is one."""
        cdef Py_ssize_t first, length, least = self.least
        cdef uint64_t hash
        cdef Murmur murmur
        if self.analyzer == CHAR_WB:
            least = min(least, end - start)
        for first in range(start, end - least + 1):
            hash = 0
            _begin(&murmur)
            for length in range(1, min(self.most, end - first) + 1):
                if self.buckets != NULL:
                    _add_character(&murmur, _at(&scratch.text, first + length - 1))
                    if length >= least:
                        self._push_hashed(scratch, &murmur, first, first + length, length == least)
                    continue
                hash = _extend(hash, _at(&scratch.text, first + length - 1))
                if length >= least:
                    self._push(scratch, hash, first, first + length, length, length == least)

    cdef void _read_words(self, Scratch* scratch) noexcept nogil:
        cdef Py_ssize_t first, last, length
        cdef uint64_t hash
        cdef const Token* token
        for first in range(scratch.words - self.least + 1):
            hash = length = 0
            for last in range(first, min(scratch.words, first + self.most)):
                token = &scratch.tokens[last]
                if last > first:
                    hash = _extend(hash, 32)
                    length += 1
                hash = hash * token.power + token.hash
                length += token.end - token.start
                if last - first + 1 >= self.least:
                    self._push(scratch, hash, first, last + 1, length, last - first + 1 == self.least)

    cdef inline void _hash_words(self, Scratch* scratch, int kind) noexcept nogil:
        """The same with a hashed vocabulary. With a constant `kind`, the compiler makes faster code."""
        cdef const void* data = scratch.text.data
        cdef const Token* token
        cdef Py_ssize_t first, last, at
        cdef Murmur murmur
        for first in range(scratch.words - self.least + 1):
            _begin(&murmur)
            for last in range(first, min(scratch.words, first + self.most)):
                token = &scratch.tokens[last]
                if last > first:
                    _add_byte(&murmur, 32)
                for at in range(token.start, token.end):
                    _add_character(&murmur, PyUnicode_READ(kind, data, at))
                if last - first + 1 >= self.least:
                    self._push_hashed(scratch, &murmur, first, last + 1, last - first + 1 == self.least)

    cdef void _add_token(self, Scratch* scratch, Py_ssize_t start, Py_ssize_t end) noexcept nogil:
        """Add a word unless it is a stop word."""
        cdef Token* token = &scratch.tokens[scratch.words]
        cdef Py_ssize_t at
        cdef uint64_t place
        cdef Slot* slot
        token.hash, token.power, token.start, token.end = 0, 1, start, end
        if self.buckets != NULL and self.stop_slots == NULL:
            scratch.words += 1
            return
        for at in range(start, end):
            token.hash = _extend(token.hash, _at(&scratch.text, at))
            token.power *= BASE
        if self.stop_slots != NULL:
            place = _mix(token.hash) & self.stop_mask
            while self.stop_slots[place].length:
                slot = &self.stop_slots[place]
                if slot.hash == token.hash and slot.length == <uint32_t>(end - start):
                    if self._same(&self.stops, self.stop_starts[slot.term], &scratch.text, start, end):
                        return
                place = (place + 1) & self.stop_mask
        scratch.words += 1

    cdef inline void _find_words(self, Scratch* scratch, int kind) noexcept nogil:
        """The runs of two or more word characters. With a constant `kind`, the compiler makes faster code."""
        cdef const void* data = scratch.text.data
        cdef Py_ssize_t at = 0, start
        cdef Py_ssize_t length = scratch.text.length
        while at < length:
            if not _is_word(PyUnicode_READ(kind, data, at)):
                at += 1
                continue
            start = at
            while at < length and _is_word(PyUnicode_READ(kind, data, at)):
                at += 1
            if at - start >= 2:
                self._add_token(scratch, start, at)

    cdef void _sum(self, Scratch* scratch) noexcept nogil:
        """The vector of the text, and its product with the weights."""
        cdef double norm = 0.0, value
        cdef const double* row
        cdef Py_ssize_t index, score
        for index in range(scratch.terms):
            value = scratch.counts[index].count
            if self.binary:
                value = 1.0
            elif self.sublinear:
                value = 1.0 + log(value)
            value *= self._row(&scratch.counts[index])[0]
            scratch.values[index] = value
            norm += value * value if self.norm == 2 else fabs(value)
        if self.norm == 2:
            norm = sqrt(norm)
        if self.norm == 0 or norm == 0.0:
            norm = 1.0
        for index in range(scratch.terms):
            row = self._row(&scratch.counts[index])
            value = scratch.values[index] / norm
            if self.binarizes:
                value = value > self.threshold
            scratch.values[index] = value
            for score in range(self.scores):
                scratch.products[score] += value * row[1 + score]

    cdef inline Py_ssize_t _most_terms(self, Py_ssize_t units) noexcept nogil:
        """The terms of a text of so many characters, or words of the word analyzer."""
        return min(units * (self.most - self.least + 1), self.size)

    cdef void _clear_memory(self, Scratch* scratch, Py_ssize_t units) noexcept nogil:
        """Clear as much of the memory as so many units require."""
        scratch.mask = <uint32_t>_power_above(2 * self._most_terms(units)) - 1
        memset(scratch.places, 0, (<size_t>scratch.mask + 1) * sizeof(uint32_t))
        memset(scratch.products, 0, self.scores * sizeof(double))

    cdef inline void _read_kind(self, Scratch* scratch, int kind) noexcept nogil:
        if not self.has_pattern:
            self._find_words(scratch, kind)
        self._clear_memory(scratch, scratch.words)
        if self.buckets == NULL:
            self._read_words(scratch)
        else:
            self._hash_words(scratch, kind)

    cdef void _read(self, Scratch* scratch) noexcept nogil:
        if self.analyzer == WORD:
            if scratch.text.kind == 1:
                self._read_kind(scratch, 1)
            else:
                self._read_kind(scratch, scratch.text.kind)
        else:
            self._clear_memory(scratch, scratch.text.length)
            self._read_characters(scratch)
        self._drain(scratch)
        self._sum(scratch)

    cdef int _run(self, str text, Scratch* scratch) except -1:
        """Read `text`, as `prepare` gave it, into `scratch`, which the caller frees."""
        cdef Py_ssize_t units = len(text), words = 0, most
        cdef list spans = None
        scratch.text = _text(text)
        if self.analyzer == WORD:
            if self.has_pattern:
                spans = tokens(self.features, text)
            units = len(spans) if spans is not None else units // 3 + 1
            words = units + 1
        most = self._most_terms(units)
        scratch.products = <double*>PyMem_RawMalloc(
            self.scores * sizeof(double) + most * (sizeof(double) + sizeof(Count)) + words * sizeof(Token)
            + _power_above(2 * most) * sizeof(uint32_t)
        )
        if scratch.products == NULL:
            raise MemoryError
        scratch.values = scratch.products + self.scores
        scratch.tokens = <Token*>(scratch.values + most)
        scratch.counts = <Count*>(scratch.tokens + words)
        scratch.places = <uint32_t*>(scratch.counts + most)
        if spans is not None:
            for start, end in spans:
                self._add_token(scratch, start, end)
        if len(text) < RELEASE:
            self._read(scratch)
        else:
            with nogil:
                self._read(scratch)
        if scratch.failed:
            raise MemoryError
        return 0

    cdef void _close(self, Scratch* scratch) noexcept:
        PyMem_RawFree(scratch.products)
        PyMem_RawFree(scratch.found)

    def add(self, str text not None, array scores not None, /):
        """Add what the text adds to each score. Long texts are read without holding the interpreter."""
        cdef Scratch scratch
        cdef Py_ssize_t score
        if scores.typecode != "d" or len(scores) != self.scores:
            raise ValueError(f"an array of {self.scores} doubles is required")
        _clear(&scratch)
        cdef str prepared = prepare(self.features, text)
        try:
            self._run(prepared, &scratch)
            for score in range(self.scores):
                scores.data.as_doubles[score] += scratch.products[score]
            return scratch.smallest, scratch.unknown
        finally:
            self._close(&scratch)

    def occurrences(self, str text not None, /):
        """Every occurrence of a known term in the prepared text, and for each of these terms the value of one."""
        cdef Scratch scratch
        cdef Py_ssize_t index
        _clear(&scratch)
        scratch.record = True
        cdef str prepared = prepare(self.features, text)
        try:
            self._run(prepared, &scratch)
            return [
                Occurrence(scratch.found[index].term, scratch.found[index].start, scratch.found[index].end)
                for index in range(scratch.occurrences)
            ], self._values_of_one(&scratch)
        finally:
            self._close(&scratch)

    cdef dict _values_of_one(self, const Scratch* scratch):
        """For each key of an occurrence the value of one; the key of an n-gram that counts as -1 is a complement."""
        cdef bint signed = self.alternate_sign and not self.binary and not self.binarizes
        cdef const Count* count
        cdef Py_ssize_t index
        cdef dict values = {}
        for index in range(scratch.terms):
            count = &scratch.counts[index]
            if signed:
                values[count.term] = scratch.values[index] / (count.count if count.count else 1)
            else:
                values[count.term] = scratch.values[index] / count.occurrences
            if self.alternate_sign:
                values[~count.term] = -values[count.term] if signed else values[count.term]
        return values


cdef void _clear(Scratch* scratch) noexcept:
    scratch.products, scratch.found = NULL, NULL
    scratch.words = scratch.waiting = scratch.terms = scratch.smallest = scratch.unknown = 0
    scratch.occurrences = scratch.room = 0
    scratch.record = scratch.failed = False
