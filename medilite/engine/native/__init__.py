"""The forward pass for CPUs, compiled by Numba: int8 products, and all else in float32.

Why not a library's kernels? Measured on 2 cores of a Zen 4 in one run each, CPU
time of one thread, all products of the 135M base (ms, least of 5 to 10; other
work on the machine, so read them as ratios):

| rows | 1 | 6 | 16 | 48 | 256 |
| --- | --- | --- | --- | --- | --- |
| torch float32 (MKL) | 47 | 78 | 96 | 190 | 774 |
| torch bfloat16 (oneDNN) | 35 | 40 | 50 | 90 | 347 |
| torch dynamic int8, FBGEMM | 9.8 | 11 | 19 | 44 | 261 |
| torch dynamic int8, oneDNN | 16 | 18 | 23 | 48 | 211 |
| torch `_int_mm` | 16 | 23 | 29 | 48 | 198 |
| torch int8 weights alone, bfloat16 | 20 | 40 | 78 | 213 | 1075 |
| torch int4 weights alone, bfloat16 | 8.2 | 23 | 52 | 151 | 824 |
| ONNX Runtime, 8 bit in blocks of 64 | 7.5 | 16 | 33 | 90 | 474 |
| OpenVINO, int8 in groups of 64 | 9.6 | 14 | 24 | 53 | 266 |
| OpenVINO, int4 in groups of 32 | 6.8 | 11 | 21 | 58 | 290 |
| **`int8_tile`** | **5.0** | **5.5** | **15** | **37** | **203** |

(The ONNX Runtime and OpenVINO figures hold a few element-wise operations too.
`int8_tile` had one scale an output and one for 64 inputs then. Today's takes 1.2
to 1.3 times as long, in turn with that one, for 1 to 48 rows.) torch's int8
kernels take one scale for a whole batch, so that an answer would depend on its
neighbours; with one scale a row (cross-entropy of 6 reference answers, three
models) they lose 0.9 to 1.6 %.

How far the next token's probabilities are from float32's (mean Kullback-Leibler
divergence over 2,990 tokens of 15 reference answers, base alone; computed in
float32 with rounded weights and inputs, and the first line of this list found
the same in the compiled pass):

| weights | inputs | divergence |
| --- | --- | --- |
| **scale and offset for 32, exact for Q4_1 and Q8_0** | **least to greatest of 32** | **0.0012** |
| as above | least to greatest of 16 | 0.0006 |
| as above | symmetric, 32 | 0.0029 |
| as above | symmetric, 64 | 0.0052 |
| as above | two int8 each, 15 bits | 4e-7 |
| symmetric, one scale an output | symmetric, 64 (before) | 0.0093 |
| symmetric, 64 | symmetric, 64 | 0.0068 |
| symmetric, 64, turned by Hadamard's matrix of 64 | the same turn, symmetric, 64 | 0.0023 |

Two int8 an input double the products: a step of 48 rows takes 1.5 times as long
as before, one of the kind that is used 1.2 times.

**Four bits.** Weights on 16 levels take 20 bytes for 32 instead of 38. A tile out of
the cache, on one core of a Zen 5 (ns, least of 300):

| rows | 1 | 3 | 4 | 6 |
| --- | --- | --- | --- | --- |
| eight bits | 7.7 | 11.7 | 13.3 | 18.4 |
| four bits, both halves of the outputs at once | 6.9 | 12.0 | 14.7 | 39 (too few registers) |
| **four bits, one half after the other** | 6.8 | 11.9 | 15.0 | 20.7 |

Making a tile of four bits one of eight first takes 5.7 ns, which pays from 18 rows
on (`forward.WIDENED`). What a step takes on two cores, in turn with the code before
(ms, medians of 40 steps of 150 positions): one row 4.4 before, 3.7 with four bits in
pages of 2 MB, 2.2 when in addition nobody counts who holds an array (`code_cache.lean`)
and each thread reads its weights from one end; six rows 8.0, 8.6 and 4.9.

torch's attention of one token a row over 224 positions takes 155 µs (6 rows) and
2,000 µs (48 rows) a layer; `_attend` about a third of it, and no mask, padding
or copy. torchao's PyPI wheel has no CPU kernels; torch.compile needs a compiler
on the machine.

Rows are independent to the last bit: every sum over integers is exact, and
every sum over floats belongs to one token and runs in an order of its own. That
order is written down, and nothing is compiled with `fastmath`: Numba compiles a
function once alone and once into each of its callers, and which of the two runs
differs between the process that compiles and one that loads from the cache.
"""

from medilite.processor import drop_useless_threads

# Before any file of this folder imports Numba.
drop_useless_threads()
