// Written by scripts/op_schemas.py from onnx 1.22.0. Do not edit.

/** See schema.ts for the format. */
export const SCHEMA_TABLE = `0 float16 float32 float64
1 float16 float32 float64 int16 int32 int64 int8 uint16 uint32 uint64 uint8
2 bfloat16 float16 float32 float64 int16 int32 int64 int8 uint16 uint32 uint64 uint8
3 bfloat16 float16 float32 float64
4 float16 float32 float64 int32 int64 uint32 uint64
5 bfloat16 float16 float32 float64 int32 int64 uint32 uint64
6 int64
7 bool
8 bfloat16 bool float16 float32 float64 int16 int32 int64 int8 uint16 uint32 uint64 uint8
9 bfloat16 bool complex128 complex64 float16 float32 float4e2m1 float64 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz float8e8m0 int16 int2 int32 int4 int64 int8 uint16 uint2 uint32 uint4 uint64 uint8
10 uint16 uint32 uint64 uint8
11 int16 int32 int64 int8 uint16 uint32 uint64 uint8
12 int32 int64
13 bool float16 float32 float64 int16 int32 int64 int8 uint16 uint32 uint64 uint8
14 bool float16 float32 float64 int16 int32 int64 int8 string uint16 uint32 uint64 uint8
15 bfloat16 bool float16 float32 float64 int16 int32 int64 int8 string uint16 uint32 uint64 uint8
16 bfloat16 bool float16 float32 float64 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz int16 int32 int64 int8 string uint16 uint32 uint64 uint8
17 bfloat16 bool float16 float32 float64 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz int16 int32 int4 int64 int8 string uint16 uint32 uint4 uint64 uint8
18 bfloat16 bool float16 float32 float4e2m1 float64 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz int16 int32 int4 int64 int8 string uint16 uint32 uint4 uint64 uint8
19 bfloat16 bool float16 float32 float4e2m1 float64 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz float8e8m0 int16 int32 int4 int64 int8 string uint16 uint32 uint4 uint64 uint8
20 bfloat16 bool float16 float32 float4e2m1 float64 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz float8e8m0 int16 int2 int32 int4 int64 int8 string uint16 uint2 uint32 uint4 uint64 uint8
21 bfloat16 float16 float32
22 float32
23 bfloat16 bool complex128 complex64 float16 float32 float64 int16 int32 int64 int8 string uint16 uint32 uint64 uint8
24 bool complex128 complex64 float16 float32 float64 int16 int32 int64 int8 string uint16 uint32 uint64 uint8
25 sequence(bool) sequence(complex128) sequence(complex64) sequence(float16) sequence(float32) sequence(float64) sequence(int16) sequence(int32) sequence(int64) sequence(int8) sequence(string) sequence(uint16) sequence(uint32) sequence(uint64) sequence(uint8)
26 bfloat16 bool complex128 complex64 float16 float32 float64 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz int16 int32 int64 int8 string uint16 uint32 uint64 uint8
27 bfloat16 bool complex128 complex64 float16 float32 float64 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz int16 int32 int4 int64 int8 string uint16 uint32 uint4 uint64 uint8
28 bfloat16 bool complex128 complex64 float16 float32 float4e2m1 float64 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz int16 int32 int4 int64 int8 string uint16 uint32 uint4 uint64 uint8
29 bfloat16 bool complex128 complex64 float16 float32 float4e2m1 float64 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz float8e8m0 int16 int32 int4 int64 int8 string uint16 uint32 uint4 uint64 uint8
30 bfloat16 bool complex128 complex64 float16 float32 float4e2m1 float64 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz float8e8m0 int16 int2 int32 int4 int64 int8 string uint16 uint2 uint32 uint4 uint64 uint8
31 bfloat16 bool float16 float32 float64 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz int16 int32 int64 int8 uint16 uint32 uint64 uint8
32 bfloat16 bool float16 float32 float64 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz int16 int32 int4 int64 int8 uint16 uint32 uint4 uint64 uint8
33 bfloat16 bool float16 float32 float4e2m1 float64 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz int16 int32 int4 int64 int8 uint16 uint32 uint4 uint64 uint8
34 bfloat16 bool float16 float32 float4e2m1 float64 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz float8e8m0 int16 int32 int4 int64 int8 uint16 uint32 uint4 uint64 uint8
35 bfloat16 bool float16 float32 float4e2m1 float64 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz float8e8m0 int16 int2 int32 int4 int64 int8 uint16 uint2 uint32 uint4 uint64 uint8
36 int8 uint8
37 int32
38 float32 float64 int32 int64 uint32 uint64
39 int32 int8 uint8
40 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz int32 int8 uint8
41 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz int16 int32 int4 int8 uint16 uint4 uint8
42 float4e2m1 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz int16 int32 int4 int8 uint16 uint4 uint8
43 bfloat16 float16 float32 float8e8m0
44 float4e2m1 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz int16 int2 int32 int4 int8 uint16 uint2 uint4 uint8
45 bfloat16 float16 float32 float64 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz
46 uint8
47 bool int32 int64
48 bfloat16 bool complex128 complex64 float16 float32 float64 int16 int32 int64 int8 sequence(bool) sequence(complex128) sequence(complex64) sequence(float16) sequence(float32) sequence(float64) sequence(int16) sequence(int32) sequence(int64) sequence(int8) sequence(string) sequence(uint16) sequence(uint32) sequence(uint64) sequence(uint8) string uint16 uint32 uint64 uint8
49 bfloat16 bool complex128 complex64 float16 float32 float64 int16 int32 int64 int8 optional(bool) optional(complex128) optional(complex64) optional(float16) optional(float32) optional(float64) optional(int16) optional(int32) optional(int64) optional(int8) optional(sequence(bool)) optional(sequence(complex128)) optional(sequence(complex64)) optional(sequence(float16)) optional(sequence(float32)) optional(sequence(float64)) optional(sequence(int16)) optional(sequence(int32)) optional(sequence(int64)) optional(sequence(int8)) optional(sequence(string)) optional(sequence(uint16)) optional(sequence(uint32)) optional(sequence(uint64)) optional(sequence(uint8)) optional(string) optional(uint16) optional(uint32) optional(uint64) optional(uint8) sequence(bool) sequence(complex128) sequence(complex64) sequence(float16) sequence(float32) sequence(float64) sequence(int16) sequence(int32) sequence(int64) sequence(int8) sequence(string) sequence(uint16) sequence(uint32) sequence(uint64) sequence(uint8) string uint16 uint32 uint64 uint8
50 bfloat16 bool complex128 complex64 float16 float32 float64 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz int16 int32 int64 int8 optional(bool) optional(complex128) optional(complex64) optional(float16) optional(float32) optional(float64) optional(int16) optional(int32) optional(int64) optional(int8) optional(sequence(bool)) optional(sequence(complex128)) optional(sequence(complex64)) optional(sequence(float16)) optional(sequence(float32)) optional(sequence(float64)) optional(sequence(int16)) optional(sequence(int32)) optional(sequence(int64)) optional(sequence(int8)) optional(sequence(string)) optional(sequence(uint16)) optional(sequence(uint32)) optional(sequence(uint64)) optional(sequence(uint8)) optional(string) optional(uint16) optional(uint32) optional(uint64) optional(uint8) sequence(bool) sequence(complex128) sequence(complex64) sequence(float16) sequence(float32) sequence(float64) sequence(int16) sequence(int32) sequence(int64) sequence(int8) sequence(string) sequence(uint16) sequence(uint32) sequence(uint64) sequence(uint8) string uint16 uint32 uint64 uint8
51 bfloat16 bool complex128 complex64 float16 float32 float64 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz int16 int32 int4 int64 int8 optional(bool) optional(complex128) optional(complex64) optional(float16) optional(float32) optional(float64) optional(int16) optional(int32) optional(int64) optional(int8) optional(sequence(bool)) optional(sequence(complex128)) optional(sequence(complex64)) optional(sequence(float16)) optional(sequence(float32)) optional(sequence(float64)) optional(sequence(int16)) optional(sequence(int32)) optional(sequence(int64)) optional(sequence(int8)) optional(sequence(string)) optional(sequence(uint16)) optional(sequence(uint32)) optional(sequence(uint64)) optional(sequence(uint8)) optional(string) optional(uint16) optional(uint32) optional(uint64) optional(uint8) sequence(bool) sequence(complex128) sequence(complex64) sequence(float16) sequence(float32) sequence(float64) sequence(int16) sequence(int32) sequence(int64) sequence(int8) sequence(string) sequence(uint16) sequence(uint32) sequence(uint64) sequence(uint8) string uint16 uint32 uint4 uint64 uint8
52 bfloat16 bool complex128 complex64 float16 float32 float4e2m1 float64 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz int16 int32 int4 int64 int8 optional(bool) optional(complex128) optional(complex64) optional(float16) optional(float32) optional(float64) optional(int16) optional(int32) optional(int64) optional(int8) optional(sequence(bool)) optional(sequence(complex128)) optional(sequence(complex64)) optional(sequence(float16)) optional(sequence(float32)) optional(sequence(float64)) optional(sequence(int16)) optional(sequence(int32)) optional(sequence(int64)) optional(sequence(int8)) optional(sequence(string)) optional(sequence(uint16)) optional(sequence(uint32)) optional(sequence(uint64)) optional(sequence(uint8)) optional(string) optional(uint16) optional(uint32) optional(uint64) optional(uint8) sequence(bool) sequence(complex128) sequence(complex64) sequence(float16) sequence(float32) sequence(float64) sequence(int16) sequence(int32) sequence(int64) sequence(int8) sequence(string) sequence(uint16) sequence(uint32) sequence(uint64) sequence(uint8) string uint16 uint32 uint4 uint64 uint8
53 bfloat16 bool complex128 complex64 float16 float32 float4e2m1 float64 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz float8e8m0 int16 int32 int4 int64 int8 optional(bool) optional(complex128) optional(complex64) optional(float16) optional(float32) optional(float64) optional(int16) optional(int32) optional(int64) optional(int8) optional(sequence(bool)) optional(sequence(complex128)) optional(sequence(complex64)) optional(sequence(float16)) optional(sequence(float32)) optional(sequence(float64)) optional(sequence(int16)) optional(sequence(int32)) optional(sequence(int64)) optional(sequence(int8)) optional(sequence(string)) optional(sequence(uint16)) optional(sequence(uint32)) optional(sequence(uint64)) optional(sequence(uint8)) optional(string) optional(uint16) optional(uint32) optional(uint64) optional(uint8) sequence(bool) sequence(complex128) sequence(complex64) sequence(float16) sequence(float32) sequence(float64) sequence(int16) sequence(int32) sequence(int64) sequence(int8) sequence(string) sequence(uint16) sequence(uint32) sequence(uint64) sequence(uint8) string uint16 uint32 uint4 uint64 uint8
54 bfloat16 bool complex128 complex64 float16 float32 float4e2m1 float64 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz float8e8m0 int16 int2 int32 int4 int64 int8 optional(bool) optional(complex128) optional(complex64) optional(float16) optional(float32) optional(float64) optional(int16) optional(int32) optional(int64) optional(int8) optional(sequence(bool)) optional(sequence(complex128)) optional(sequence(complex64)) optional(sequence(float16)) optional(sequence(float32)) optional(sequence(float64)) optional(sequence(int16)) optional(sequence(int32)) optional(sequence(int64)) optional(sequence(int8)) optional(sequence(string)) optional(sequence(uint16)) optional(sequence(uint32)) optional(sequence(uint64)) optional(sequence(uint8)) optional(string) optional(uint16) optional(uint32) optional(uint64) optional(uint8) sequence(bool) sequence(complex128) sequence(complex64) sequence(float16) sequence(float32) sequence(float64) sequence(int16) sequence(int32) sequence(int64) sequence(int8) sequence(string) sequence(uint16) sequence(uint32) sequence(uint64) sequence(uint8) string uint16 uint2 uint32 uint4 uint64 uint8
55 bool complex128 complex64 float16 float32 float64 int16 int32 int64 int8 sequence(bool) sequence(complex128) sequence(complex64) sequence(float16) sequence(float32) sequence(float64) sequence(int16) sequence(int32) sequence(int64) sequence(int8) sequence(string) sequence(uint16) sequence(uint32) sequence(uint64) sequence(uint8) string uint16 uint32 uint64 uint8
56 bfloat16 bool complex128 complex64 float16 float32 float64 int16 int32 int64 int8 optional(bfloat16) optional(bool) optional(complex128) optional(complex64) optional(float16) optional(float32) optional(float64) optional(int16) optional(int32) optional(int64) optional(int8) optional(sequence(bfloat16)) optional(sequence(bool)) optional(sequence(complex128)) optional(sequence(complex64)) optional(sequence(float16)) optional(sequence(float32)) optional(sequence(float64)) optional(sequence(int16)) optional(sequence(int32)) optional(sequence(int64)) optional(sequence(int8)) optional(sequence(string)) optional(sequence(uint16)) optional(sequence(uint32)) optional(sequence(uint64)) optional(sequence(uint8)) optional(string) optional(uint16) optional(uint32) optional(uint64) optional(uint8) sequence(bfloat16) sequence(bool) sequence(complex128) sequence(complex64) sequence(float16) sequence(float32) sequence(float64) sequence(int16) sequence(int32) sequence(int64) sequence(int8) sequence(string) sequence(uint16) sequence(uint32) sequence(uint64) sequence(uint8) string uint16 uint32 uint64 uint8
57 bfloat16 bool complex128 complex64 float16 float32 float64 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz int16 int32 int64 int8 optional(bfloat16) optional(bool) optional(complex128) optional(complex64) optional(float16) optional(float32) optional(float64) optional(float8e4m3fn) optional(float8e4m3fnuz) optional(float8e5m2) optional(float8e5m2fnuz) optional(int16) optional(int32) optional(int64) optional(int8) optional(sequence(bfloat16)) optional(sequence(bool)) optional(sequence(complex128)) optional(sequence(complex64)) optional(sequence(float16)) optional(sequence(float32)) optional(sequence(float64)) optional(sequence(int16)) optional(sequence(int32)) optional(sequence(int64)) optional(sequence(int8)) optional(sequence(string)) optional(sequence(uint16)) optional(sequence(uint32)) optional(sequence(uint64)) optional(sequence(uint8)) optional(string) optional(uint16) optional(uint32) optional(uint64) optional(uint8) sequence(bfloat16) sequence(bool) sequence(complex128) sequence(complex64) sequence(float16) sequence(float32) sequence(float64) sequence(float8e4m3fn) sequence(float8e4m3fnuz) sequence(float8e5m2) sequence(float8e5m2fnuz) sequence(int16) sequence(int32) sequence(int64) sequence(int8) sequence(string) sequence(uint16) sequence(uint32) sequence(uint64) sequence(uint8) string uint16 uint32 uint64 uint8
58 bfloat16 bool complex128 complex64 float16 float32 float64 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz int16 int32 int4 int64 int8 optional(bfloat16) optional(bool) optional(complex128) optional(complex64) optional(float16) optional(float32) optional(float64) optional(float8e4m3fn) optional(float8e4m3fnuz) optional(float8e5m2) optional(float8e5m2fnuz) optional(int16) optional(int32) optional(int4) optional(int64) optional(int8) optional(sequence(bfloat16)) optional(sequence(bool)) optional(sequence(complex128)) optional(sequence(complex64)) optional(sequence(float16)) optional(sequence(float32)) optional(sequence(float64)) optional(sequence(int16)) optional(sequence(int32)) optional(sequence(int64)) optional(sequence(int8)) optional(sequence(string)) optional(sequence(uint16)) optional(sequence(uint32)) optional(sequence(uint64)) optional(sequence(uint8)) optional(string) optional(uint16) optional(uint32) optional(uint4) optional(uint64) optional(uint8) sequence(bfloat16) sequence(bool) sequence(complex128) sequence(complex64) sequence(float16) sequence(float32) sequence(float64) sequence(float8e4m3fn) sequence(float8e4m3fnuz) sequence(float8e5m2) sequence(float8e5m2fnuz) sequence(int16) sequence(int32) sequence(int4) sequence(int64) sequence(int8) sequence(string) sequence(uint16) sequence(uint32) sequence(uint4) sequence(uint64) sequence(uint8) string uint16 uint32 uint4 uint64 uint8
59 bfloat16 bool complex128 complex64 float16 float32 float4e2m1 float64 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz int16 int32 int4 int64 int8 optional(bfloat16) optional(bool) optional(complex128) optional(complex64) optional(float16) optional(float32) optional(float4e2m1) optional(float64) optional(float8e4m3fn) optional(float8e4m3fnuz) optional(float8e5m2) optional(float8e5m2fnuz) optional(int16) optional(int32) optional(int4) optional(int64) optional(int8) optional(sequence(bfloat16)) optional(sequence(bool)) optional(sequence(complex128)) optional(sequence(complex64)) optional(sequence(float16)) optional(sequence(float32)) optional(sequence(float64)) optional(sequence(int16)) optional(sequence(int32)) optional(sequence(int64)) optional(sequence(int8)) optional(sequence(string)) optional(sequence(uint16)) optional(sequence(uint32)) optional(sequence(uint64)) optional(sequence(uint8)) optional(string) optional(uint16) optional(uint32) optional(uint4) optional(uint64) optional(uint8) sequence(bfloat16) sequence(bool) sequence(complex128) sequence(complex64) sequence(float16) sequence(float32) sequence(float4e2m1) sequence(float64) sequence(float8e4m3fn) sequence(float8e4m3fnuz) sequence(float8e5m2) sequence(float8e5m2fnuz) sequence(int16) sequence(int32) sequence(int4) sequence(int64) sequence(int8) sequence(string) sequence(uint16) sequence(uint32) sequence(uint4) sequence(uint64) sequence(uint8) string uint16 uint32 uint4 uint64 uint8
60 bfloat16 bool complex128 complex64 float16 float32 float4e2m1 float64 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz float8e8m0 int16 int32 int4 int64 int8 optional(bfloat16) optional(bool) optional(complex128) optional(complex64) optional(float16) optional(float32) optional(float4e2m1) optional(float64) optional(float8e4m3fn) optional(float8e4m3fnuz) optional(float8e5m2) optional(float8e5m2fnuz) optional(float8e8m0) optional(int16) optional(int32) optional(int4) optional(int64) optional(int8) optional(sequence(bfloat16)) optional(sequence(bool)) optional(sequence(complex128)) optional(sequence(complex64)) optional(sequence(float16)) optional(sequence(float32)) optional(sequence(float64)) optional(sequence(int16)) optional(sequence(int32)) optional(sequence(int64)) optional(sequence(int8)) optional(sequence(string)) optional(sequence(uint16)) optional(sequence(uint32)) optional(sequence(uint64)) optional(sequence(uint8)) optional(string) optional(uint16) optional(uint32) optional(uint4) optional(uint64) optional(uint8) sequence(bfloat16) sequence(bool) sequence(complex128) sequence(complex64) sequence(float16) sequence(float32) sequence(float4e2m1) sequence(float64) sequence(float8e4m3fn) sequence(float8e4m3fnuz) sequence(float8e5m2) sequence(float8e5m2fnuz) sequence(float8e8m0) sequence(int16) sequence(int32) sequence(int4) sequence(int64) sequence(int8) sequence(string) sequence(uint16) sequence(uint32) sequence(uint4) sequence(uint64) sequence(uint8) string uint16 uint32 uint4 uint64 uint8
61 bfloat16 bool complex128 complex64 float16 float32 float4e2m1 float64 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz float8e8m0 int16 int2 int32 int4 int64 int8 optional(bfloat16) optional(bool) optional(complex128) optional(complex64) optional(float16) optional(float32) optional(float4e2m1) optional(float64) optional(float8e4m3fn) optional(float8e4m3fnuz) optional(float8e5m2) optional(float8e5m2fnuz) optional(float8e8m0) optional(int16) optional(int2) optional(int32) optional(int4) optional(int64) optional(int8) optional(sequence(bfloat16)) optional(sequence(bool)) optional(sequence(complex128)) optional(sequence(complex64)) optional(sequence(float16)) optional(sequence(float32)) optional(sequence(float64)) optional(sequence(int16)) optional(sequence(int32)) optional(sequence(int64)) optional(sequence(int8)) optional(sequence(string)) optional(sequence(uint16)) optional(sequence(uint32)) optional(sequence(uint64)) optional(sequence(uint8)) optional(string) optional(uint16) optional(uint2) optional(uint32) optional(uint4) optional(uint64) optional(uint8) sequence(bfloat16) sequence(bool) sequence(complex128) sequence(complex64) sequence(float16) sequence(float32) sequence(float4e2m1) sequence(float64) sequence(float8e4m3fn) sequence(float8e4m3fnuz) sequence(float8e5m2) sequence(float8e5m2fnuz) sequence(float8e8m0) sequence(int16) sequence(int2) sequence(int32) sequence(int4) sequence(int64) sequence(int8) sequence(string) sequence(uint16) sequence(uint2) sequence(uint32) sequence(uint4) sequence(uint64) sequence(uint8) string uint16 uint2 uint32 uint4 uint64 uint8
62 float32 float64
63 bfloat16 float32
64 float16 float32 float64 int8 uint8
65 bfloat16 float16 float32 float64 int8 uint8
66 float16 float32 float64 int16 int32 int64 int8
67 bfloat16 float16 float32 float64 int16 int32 int64 int8
68 optional(bool) optional(complex128) optional(complex64) optional(float16) optional(float32) optional(float64) optional(int16) optional(int32) optional(int64) optional(int8) optional(sequence(bool)) optional(sequence(complex128)) optional(sequence(complex64)) optional(sequence(float16)) optional(sequence(float32)) optional(sequence(float64)) optional(sequence(int16)) optional(sequence(int32)) optional(sequence(int64)) optional(sequence(int8)) optional(sequence(string)) optional(sequence(uint16)) optional(sequence(uint32)) optional(sequence(uint64)) optional(sequence(uint8)) optional(string) optional(uint16) optional(uint32) optional(uint64) optional(uint8)
69 bool complex128 complex64 float16 float32 float64 int16 int32 int64 int8 optional(bool) optional(complex128) optional(complex64) optional(float16) optional(float32) optional(float64) optional(int16) optional(int32) optional(int64) optional(int8) optional(sequence(bool)) optional(sequence(complex128)) optional(sequence(complex64)) optional(sequence(float16)) optional(sequence(float32)) optional(sequence(float64)) optional(sequence(int16)) optional(sequence(int32)) optional(sequence(int64)) optional(sequence(int8)) optional(sequence(string)) optional(sequence(uint16)) optional(sequence(uint32)) optional(sequence(uint64)) optional(sequence(uint8)) optional(string) optional(uint16) optional(uint32) optional(uint64) optional(uint8) sequence(bool) sequence(complex128) sequence(complex64) sequence(float16) sequence(float32) sequence(float64) sequence(int16) sequence(int32) sequence(int64) sequence(int8) sequence(string) sequence(uint16) sequence(uint32) sequence(uint64) sequence(uint8) string uint16 uint32 uint64 uint8
70 float16 float32 float64 int32 int64
71 bfloat16 float16 float32 float64 int32 int64
72 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz int8 uint8
73 float32 int32
74 bfloat16 float16 float32 int32
75 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz int16 int4 int8 uint16 uint4 uint8
76 float4e2m1 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz int16 int4 int8 uint16 uint4 uint8
77 bfloat16 float16 float32 float8e8m0 int32
78 float4e2m1 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz int16 int2 int4 int8 uint16 uint2 uint4 uint8
79 float32 float64 int16 int32 int64
80 bfloat16 float16 float32 float64 int16 int32 int64
81 float16 float32 float64 int32 int64 int8 uint32 uint64 uint8
82 bfloat16 float16 float32 float64 int32 int64 int8 uint32 uint64 uint8
83 bfloat16 bool float16 float32 float64 int32 int64 int8 uint32 uint64 uint8
84 string
85 sequence(bfloat16) sequence(bool) sequence(complex128) sequence(complex64) sequence(float16) sequence(float32) sequence(float64) sequence(int16) sequence(int32) sequence(int64) sequence(int8) sequence(string) sequence(uint16) sequence(uint32) sequence(uint64) sequence(uint8)
86 int32 int64 string
87 bool float16 float32 float64 int32 int64
88 float32 float64 int32 int64 string
89 float32 float64 int32 int64
90 map(int64,float32) map(int64,string)
91 float32 int64 string
92 int64 string
93 map(int64,float32) map(int64,float64) map(int64,string) map(string,float32) map(string,float64) map(string,int64)
94 float32 float64 int64 string
95 float32 float64 int16 int32 int64 string
96 sequence(map(int64,float32)) sequence(map(string,float32))
#
Abs 1|X:T|Y:T|T=0|consumed_inputs:I
Abs 6|=|=|T=1|
Abs 13|=|=|T=2|
Acos 7|input:T|output:T|T=0|
Acos 22|=|=|T=3|
Acosh 9|input:T|output:T|T=0|
Acosh 22|=|=|T=3|
Add 1|A:T B:T|C:T|T=0|axis:i broadcast:i=0 consumed_inputs:I
Add 6|=|=|T=4|axis:i broadcast:i=0
Add 7|=|=|=|
Add 13|=|=|T=5|
Add 14|=|=|T=2|
AffineGrid 20|theta:T1 size:T2|grid:T1|T1=3 T2=6|align_corners:i=0
And 1|A:T B:T|C:T1|T=7 T1=7|axis:i broadcast:i=0
And 7|=|=|=|
ArgMax 1|data:T|reduced:int64|T=1|axis:i=0 keepdims:i=1
ArgMax 11|=|=|=|=
ArgMax 12|=|=|=|axis:i=0 keepdims:i=1 select_last_index:i=0
ArgMax 13|=|=|T=2|=
ArgMin 1|data:T|reduced:int64|T=1|axis:i=0 keepdims:i=1
ArgMin 11|=|=|=|=
ArgMin 12|=|=|=|axis:i=0 keepdims:i=1 select_last_index:i=0
ArgMin 13|=|=|T=2|=
Asin 7|input:T|output:T|T=0|
Asin 22|=|=|T=3|
Asinh 9|input:T|output:T|T=0|
Asinh 22|=|=|T=3|
Atan 7|input:T|output:T|T=0|
Atan 22|=|=|T=3|
Atanh 9|input:T|output:T|T=0|
Atanh 22|=|=|T=3|
Attention 23|Q:T1 K:T1 V:T2 attn_mask:U? past_key:T1? past_value:T2?|Y:T1 present_key:T1? present_value:T2? qk_matmul_output:T1?|T1=3 T2=3 U=8|is_causal:i=0 kv_num_heads:i q_num_heads:i qk_matmul_output_mode:i=0 scale:f softcap:f=0.0 softmax_precision:i
Attention 24|Q:T1 K:T1 V:T2 attn_mask:U? past_key:T1? past_value:T2? nonpad_kv_seqlen:int64?|=|=|=
AveragePool 1|X:T|Y:T|T=0|auto_pad:s="NOTSET" kernel_shape:I! pads:I strides:I
AveragePool 7|=|=|=|auto_pad:s="NOTSET" count_include_pad:i=0 kernel_shape:I! pads:I strides:I
AveragePool 10|=|=|=|auto_pad:s="NOTSET" ceil_mode:i=0 count_include_pad:i=0 kernel_shape:I! pads:I strides:I
AveragePool 11|=|=|=|=
AveragePool 19|=|=|=|auto_pad:s="NOTSET" ceil_mode:i=0 count_include_pad:i=0 dilations:I kernel_shape:I! pads:I strides:I
AveragePool 22|=|=|T=3|=
BatchNormalization 1|X:T scale:T B:T mean:T var:T|Y:T mean:T? var:T? saved_mean:T? saved_var:T?|T=0|consumed_inputs:I! epsilon:f=1e-05 is_test:i=0 momentum:f=0.9 spatial:i=1
BatchNormalization 6|=|=|=|epsilon:f=1e-05 is_test:i=0 momentum:f=0.9 spatial:i=1
BatchNormalization 7|=|=|=|epsilon:f=1e-05 momentum:f=0.9 spatial:i=1
BatchNormalization 9|=|=|=|epsilon:f=1e-05 momentum:f=0.9
BatchNormalization 14|X:T scale:T B:T input_mean:U input_var:U|Y:T running_mean:U? running_var:U?|T=3 U=3|epsilon:f=1e-05 momentum:f=0.9 training_mode:i=0
BatchNormalization 15|X:T scale:T1 B:T1 input_mean:T2 input_var:T2|Y:T running_mean:T2? running_var:T2?|T=3 T1=3 T2=3|=
Bernoulli 15|input:T1|output:T2|T1=0 T2=8|dtype:i seed:f
Bernoulli 22|=|=|T1=3 T2=8|=
BitCast 26|input:T1|output:T2|T1=9 T2=9|to:i!
BitShift 11|X:T Y:T|Z:T|T=10|direction:s!
BitwiseAnd 18|A:T B:T|C:T|T=11|
BitwiseNot 18|X:T|Y:T|T=11|
BitwiseOr 18|A:T B:T|C:T|T=11|
BitwiseXor 18|A:T B:T|C:T|T=11|
BlackmanWindow 17|size:T1|output:T2|T1=12 T2=2|output_datatype:i=1 periodic:i=1
Cast 1|input:T1|output:T2|T1=13 T2=13|to:s!
Cast 6|=|=|=|to:i!
Cast 9|=|=|T1=14 T2=14|=
Cast 13|=|=|T1=15 T2=15|=
Cast 19|=|=|T1=16 T2=16|saturate:i=1 to:i!
Cast 21|=|=|T1=17 T2=17|=
Cast 23|=|=|T1=18 T2=18|=
Cast 24|=|=|T1=19 T2=19|round_mode:s="up" saturate:i=1 to:i!
Cast 25|=|=|T1=20 T2=20|=
CastLike 15|input:T1 target_type:T2|output:T2|T1=15 T2=15|
CastLike 19|=|=|T1=16 T2=16|saturate:i=1
CastLike 21|=|=|T1=17 T2=17|=
CastLike 23|=|=|T1=18 T2=18|=
CastLike 24|=|=|T1=19 T2=19|round_mode:s="up" saturate:i=1
CastLike 25|=|=|T1=20 T2=20|=
CausalConvWithState 27|input:T weight:T bias:T? past_state:T?|output:T present_state:T|T=21|activation:s="none"
Ceil 1|X:T|Y:T|T=0|consumed_inputs:I
Ceil 6|=|=|=|
Ceil 13|=|=|T=3|
Celu 12|X:T|Y:T|T=22|alpha:f=1.0
CenterCropPad 18|input_data:T shape:Tind|output_data:T|T=23 Tind=12|axes:I
Clip 1|input:T|output:T|T=0|consumed_inputs:I max:f min:f
Clip 6|=|=|=|max:f=3.4028235e+38 min:f=-3.4028235e+38
Clip 11|input:T min:T? max:T?|=|=|
Clip 12|=|=|T=1|
Clip 13|=|=|T=2|
Col2Im 18|input:T image_shape:int64 block_shape:int64|output:T|T=23|dilations:I pads:I strides:I
Compress 9|input:T condition:T1|output:T|T=24 T1=7|axis:i
Compress 11|=|=|=|=
Concat 1|inputs:T*1|concat_result:T|T=0|axis:i
Concat 4|=|=|T=24|axis:i!
Concat 11|=|=|=|=
Concat 13|=|=|T=23|=
ConcatFromSequence 11|input_sequence:S|concat_result:T|S=25 T=24|axis:i! new_axis:i=0
Constant 1||output:T|T=0|value:t!
Constant 9||=|T=24|=
Constant 11||=|=|sparse_value:p value:t
Constant 12||=|=|sparse_value:p value:t value_float:f value_floats:F value_int:i value_ints:I value_string:s value_strings:S
Constant 13||=|T=23|=
Constant 19||=|T=26|=
Constant 21||=|T=27|=
Constant 23||=|T=28|=
Constant 24||=|T=29|=
Constant 25||=|T=30|=
ConstantOfShape 9|input:T1|output:T2|T1=6 T2=13|value:t
ConstantOfShape 20|=|=|T1=6 T2=31|=
ConstantOfShape 21|=|=|T1=6 T2=32|=
ConstantOfShape 23|=|=|T1=6 T2=33|=
ConstantOfShape 24|=|=|T1=6 T2=34|=
ConstantOfShape 25|=|=|T1=6 T2=35|=
Conv 1|X:T W:T B:T?|Y:T|T=0|auto_pad:s="NOTSET" dilations:I group:i=1 kernel_shape:I pads:I strides:I
Conv 11|=|=|=|=
Conv 22|=|=|T=3|=
ConvInteger 10|x:T1 w:T2 x_zero_point:T1? w_zero_point:T2?|y:T3|T1=36 T2=36 T3=37|auto_pad:s="NOTSET" dilations:I group:i=1 kernel_shape:I pads:I strides:I
ConvTranspose 1|X:T W:T B:T?|Y:T|T=0|auto_pad:s="NOTSET" dilations:I group:i=1 kernel_shape:I output_padding:I output_shape:I pads:I strides:I
ConvTranspose 11|=|=|=|=
ConvTranspose 22|=|=|T=3|=
Cos 7|input:T|output:T|T=0|
Cos 22|=|=|T=3|
Cosh 9|input:T|output:T|T=0|
Cosh 22|=|=|T=3|
CumProd 26|x:T axis:T2|y:T|T=5 T2=12|exclusive:i=0 reverse:i=0
CumSum 11|x:T axis:T2|y:T|T=38 T2=12|exclusive:i=0 reverse:i=0
CumSum 14|=|=|T=5 T2=12|=
DFT 17|input:T1 dft_length:T2?|output:T1|T1=3 T2=12|axis:i=1 inverse:i=0 onesided:i=0
DFT 20|input:T1 dft_length:T2? axis:int64?|=|=|inverse:i=0 onesided:i=0
DeformConv 19|X:T W:T offset:T B:T? mask:T?|Y:T|T=0|dilations:I group:i=1 kernel_shape:I offset_group:i=1 pads:I strides:I
DeformConv 22|=|=|T=3|=
DepthToSpace 1|input:T|output:T|T=24|blocksize:i!
DepthToSpace 11|=|=|=|blocksize:i! mode:s="DCR"
DepthToSpace 13|=|=|T=23|=
DequantizeLinear 10|x:T x_scale:float32 x_zero_point:T?|y:float32|T=39|
DequantizeLinear 13|=|=|=|axis:i=1
DequantizeLinear 19|x:T1 x_scale:T2 x_zero_point:T1?|y:T2|T1=40 T2=21|=
DequantizeLinear 21|=|=|T1=41 T2=21|axis:i=1 block_size:i=0
DequantizeLinear 23|=|y:T3|T1=42 T2=21 T3=21|axis:i=1 block_size:i=0 output_dtype:i=0
DequantizeLinear 24|=|=|T1=42 T2=43 T3=21|=
DequantizeLinear 25|=|=|T1=44 T2=43 T3=21|=
Det 11|X:T|Y:T|T=0|
Det 22|=|=|T=3|
Div 1|A:T B:T|C:T|T=0|axis:i broadcast:i=0 consumed_inputs:I
Div 6|=|=|T=4|axis:i broadcast:i=0
Div 7|=|=|=|
Div 13|=|=|T=5|
Div 14|=|=|T=2|
Dropout 1|data:T|output:T mask:T?|T=0|consumed_inputs:I is_test:i=0 ratio:f=0.5
Dropout 6|=|=|=|is_test:i=0 ratio:f=0.5
Dropout 7|=|=|=|ratio:f=0.5
Dropout 10|=|output:T mask:T1?|T=0 T1=7|=
Dropout 12|data:T ratio:T1? training_mode:T2?|output:T mask:T2?|T=0 T1=0 T2=7|seed:i
Dropout 13|=|=|T=3 T1=0 T2=7|=
Dropout 22|=|=|T=45 T1=45 T2=7|=
DynamicQuantizeLinear 11|x:T1|y:T2 y_scale:float32 y_zero_point:T2|T1=22 T2=46|
Einsum 12|Inputs:T*1|Output:T|T=1|equation:s!
Elu 1|X:T|Y:T|T=0|alpha:f=1.0 consumed_inputs:I
Elu 6|=|=|=|alpha:f=1.0
Elu 22|=|=|T=3|=
Equal 1|A:T B:T|C:T1|T=47 T1=7|axis:i broadcast:i=0
Equal 7|=|=|=|
Equal 11|=|=|T=13 T1=7|
Equal 13|=|=|T=8 T1=7|
Equal 19|=|=|T=15 T1=7|
Erf 9|input:T|output:T|T=1|
Erf 13|=|=|T=3|
Exp 1|input:T|output:T|T=0|consumed_inputs:I
Exp 6|=|=|=|
Exp 13|=|=|T=3|
Expand 8|input:T shape:int64|output:T|T=24|
Expand 13|=|=|T=23|
EyeLike 9|input:T1|output:T2|T1=13 T2=13|dtype:i k:i=0
EyeLike 22|=|=|T1=8 T2=8|=
Flatten 1|input:T|output:T|T=0|axis:i=1
Flatten 9|=|=|T=24|=
Flatten 11|=|=|=|=
Flatten 13|=|=|T=23|=
Flatten 21|=|=|T=27|=
Flatten 23|=|=|T=28|=
Flatten 24|=|=|T=29|=
Flatten 25|=|=|T=30|=
Floor 1|X:T|Y:T|T=0|consumed_inputs:I
Floor 6|=|=|=|
Floor 13|=|=|T=3|
GRU 1|X:T W:T R:T B:T? sequence_lens:T1? initial_h:T?|Y:T? Y_h:T|T=0 T1=37|activation_alpha:F activation_beta:F activations:S clip:f direction:s="foward" hidden_size:i output_sequence:i=0
GRU 3|=|Y:T? Y_h:T?|=|activation_alpha:F activation_beta:F activations:S clip:f direction:s="forward" hidden_size:i linear_before_reset:i=0 output_sequence:i=0
GRU 7|=|=|=|activation_alpha:F activation_beta:F activations:S clip:f direction:s="forward" hidden_size:i linear_before_reset:i=0
GRU 14|=|=|=|activation_alpha:F activation_beta:F activations:S clip:f direction:s="forward" hidden_size:i layout:i=0 linear_before_reset:i=0
GRU 22|=|=|T=3 T1=37|=
Gather 1|data:T indices:Tind|output:T|T=24 Tind=12|axis:i=0
Gather 11|=|=|=|=
Gather 13|=|=|T=23 Tind=12|=
GatherElements 11|data:T indices:Tind|output:T|T=24 Tind=12|axis:i=0
GatherElements 13|=|=|T=23 Tind=12|=
GatherND 11|data:T indices:int64|output:T|T=24|
GatherND 12|=|=|=|batch_dims:i=0
GatherND 13|=|=|T=23|=
Gelu 20|X:T|Y:T|T=3|approximate:s="none"
Gemm 1|A:T B:T C:T|Y:T|T=0|alpha:f=1.0 beta:f=1.0 broadcast:i=0 transA:i=0 transB:i=0
Gemm 6|=|=|=|=
Gemm 7|=|=|=|alpha:f=1.0 beta:f=1.0 transA:i=0 transB:i=0
Gemm 9|=|=|T=4|=
Gemm 11|A:T B:T C:T?|=|=|=
Gemm 13|=|=|T=5|=
GlobalAveragePool 1|X:T|Y:T|T=0|
GlobalAveragePool 22|=|=|T=3|
GlobalLpPool 1|X:T|Y:T|T=0|p:f=2.0
GlobalLpPool 2|=|=|=|p:i=2
GlobalLpPool 22|=|=|T=3|=
GlobalMaxPool 1|X:T|Y:T|T=0|
GlobalMaxPool 22|=|=|T=3|
Greater 1|A:T B:T|C:T1|T=0 T1=7|axis:i broadcast:i=0
Greater 7|=|=|=|
Greater 9|=|=|T=1 T1=7|
Greater 13|=|=|T=2 T1=7|
GreaterOrEqual 12|A:T B:T|C:T1|T=1 T1=7|
GreaterOrEqual 16|=|=|T=2 T1=7|
GridSample 16|X:T1 grid:T2|Y:T1|T1=24 T2=0|align_corners:i=0 mode:s="bilinear" padding_mode:s="zeros"
GridSample 20|=|=|=|align_corners:i=0 mode:s="linear" padding_mode:s="zeros"
GridSample 22|=|=|T1=23 T2=3|=
GroupNormalization 18!|X:T scale:T bias:T|Y:T|T=3|epsilon:f=1e-05 num_groups:i!
GroupNormalization 21|=|=|=|epsilon:f=1e-05 num_groups:i! stash_type:i=1
HammingWindow 17|size:T1|output:T2|T1=12 T2=2|output_datatype:i=1 periodic:i=1
HannWindow 17|size:T1|output:T2|T1=12 T2=2|output_datatype:i=1 periodic:i=1
HardSigmoid 1|X:T|Y:T|T=0|alpha:f=0.2 beta:f=0.5 consumed_inputs:I
HardSigmoid 6|=|=|=|alpha:f=0.2 beta:f=0.5
HardSigmoid 22|=|=|T=3|=
HardSwish 14|X:T|Y:T|T=0|
HardSwish 22|=|=|T=3|
Hardmax 1|input:T|output:T|T=0|axis:i=1
Hardmax 11|=|=|=|=
Hardmax 13|=|=|T=3|axis:i=-1
Identity 1|input:T|output:T|T=24|
Identity 13|=|=|T=23|
Identity 14|input:V|output:V|V=48|
Identity 16|=|=|V=49|
Identity 19|=|=|V=50|
Identity 21|=|=|V=51|
Identity 23|=|=|V=52|
Identity 24|=|=|V=53|
Identity 25|=|=|V=54|
If 1|cond:B|outputs:V~1|V=24 B=7|else_branch:g! then_branch:g!
If 11|=|=|=|=
If 13|=|=|V=55 B=7|=
If 16|=|=|V=56 B=7|=
If 19|=|=|V=57 B=7|=
If 21|=|=|V=58 B=7|=
If 23|=|=|V=59 B=7|=
If 24|=|=|V=60 B=7|=
If 25|=|=|V=61 B=7|=
ImageDecoder 20|encoded_stream:T1|image:T2|T1=46 T2=46|pixel_format:s="RGB"
InstanceNormalization 1|input:T scale:T B:T|output:T|T=0|consumed_inputs:I epsilon:f=1e-05
InstanceNormalization 6|=|=|=|epsilon:f=1e-05
InstanceNormalization 22|=|=|T=3|=
IsInf 10|X:T1|Y:T2|T1=62 T2=7|detect_negative:i=1 detect_positive:i=1
IsInf 20|=|=|T1=45 T2=7|=
IsNaN 9|X:T1|Y:T2|T1=0 T2=7|
IsNaN 13|=|=|T1=3 T2=7|
IsNaN 20|=|=|T1=45 T2=7|
LRN 1|X:T|Y:T|T=0|alpha:f=0.0001 beta:f=0.75 bias:f=1.0 size:i!
LRN 13|=|=|T=3|=
LSTM 1|X:T W:T R:T B:T? sequence_lens:T1? initial_h:T? initial_c:T? P:T?|Y:T? Y_h:T? Y_c:T?|T=0 T1=37|activation_alpha:F activation_beta:F activations:S clip:f direction:s="forward" hidden_size:i input_forget:i=0 output_sequence:i=0
LSTM 7|=|=|=|activation_alpha:F activation_beta:F activations:S clip:f direction:s="forward" hidden_size:i input_forget:i=0
LSTM 14|=|=|=|activation_alpha:F activation_beta:F activations:S clip:f direction:s="forward" hidden_size:i input_forget:i=0 layout:i=0
LSTM 22|=|=|T=3 T1=37|=
LayerNormalization 17|X:T Scale:T B:T?|Y:T Mean:U? InvStdDev:U?|T=3 U=63|axis:i=-1 epsilon:f=1e-05 stash_type:i=1
LeakyRelu 1|X:T|Y:T|T=0|alpha:f=0.01 consumed_inputs:I
LeakyRelu 6|=|=|=|alpha:f=0.01
LeakyRelu 16|=|=|T=3|=
Less 1|A:T B:T|C:T1|T=0 T1=7|axis:i broadcast:i=0
Less 7|=|=|=|
Less 9|=|=|T=1 T1=7|
Less 13|=|=|T=2 T1=7|
LessOrEqual 12|A:T B:T|C:T1|T=1 T1=7|
LessOrEqual 16|=|=|T=2 T1=7|
LinearAttention 27|query:T key:T value:T past_state:S? decay:T? beta:T?|output:T present_state:S|T=21 S=21|chunk_size:i=64 kv_num_heads:i! q_num_heads:i! scale:f=0.0 update_rule:s="gated_delta"
Log 1|input:T|output:T|T=0|consumed_inputs:I
Log 6|=|=|=|
Log 13|=|=|T=3|
LogSoftmax 1|input:T|output:T|T=0|axis:i=1
LogSoftmax 11|=|=|=|=
LogSoftmax 13|=|=|T=3|axis:i=-1
Loop 1|M:I? cond:B? v_initial:V~1|v_final_and_scan_outputs:V~1|V=24 I=6 B=7|body:g!
Loop 11|M:I? cond:B? v_initial:V~0|=|=|=
Loop 13|=|=|V=55 I=6 B=7|=
Loop 16|=|=|V=56 I=6 B=7|=
Loop 19|=|=|V=57 I=6 B=7|=
Loop 21|=|=|V=58 I=6 B=7|=
Loop 23|=|=|V=59 I=6 B=7|=
Loop 24|=|=|V=60 I=6 B=7|=
Loop 25|=|=|V=61 I=6 B=7|=
LpNormalization 1|input:T|output:T|T=0|axis:i=-1 p:i=2
LpNormalization 22|=|=|T=3|=
LpPool 1|X:T|Y:T|T=0|auto_pad:s="NOTSET" kernel_shape:I p:f=2.0 pads:I strides:I
LpPool 2|=|=|=|auto_pad:s="NOTSET" kernel_shape:I! p:i=2 pads:I strides:I
LpPool 11|=|=|=|=
LpPool 18|=|=|=|auto_pad:s="NOTSET" ceil_mode:i=0 dilations:I kernel_shape:I! p:i=2 pads:I strides:I
LpPool 22|=|=|T=3|=
MatMul 1|A:T B:T|Y:T|T=0|
MatMul 9|=|=|T=4|
MatMul 13|=|=|T=5|
MatMulInteger 10|A:T1 B:T2 a_zero_point:T1? b_zero_point:T2?|Y:T3|T1=36 T2=36 T3=37|
Max 1|data_0:T*1|max:T|T=0|consumed_inputs:I
Max 6|=|=|=|
Max 8|=|=|=|
Max 12|=|=|T=1|
Max 13|=|=|T=2|
MaxPool 1|X:T|Y:T|T=0|auto_pad:s="NOTSET" kernel_shape:I! pads:I strides:I
MaxPool 8|=|Y:T Indices:I?|T=0 I=6|auto_pad:s="NOTSET" kernel_shape:I! pads:I storage_order:i=0 strides:I
MaxPool 10|=|=|=|auto_pad:s="NOTSET" ceil_mode:i=0 dilations:I kernel_shape:I! pads:I storage_order:i=0 strides:I
MaxPool 11|=|=|=|=
MaxPool 12|=|=|T=64 I=6|=
MaxPool 22|=|=|T=65 I=6|=
MaxRoiPool 1|X:T rois:T|Y:T|T=0|pooled_shape:I! spatial_scale:f=1.0
MaxRoiPool 22|=|=|T=3|=
MaxUnpool 9|X:T1 I:T2 output_shape:T2?|output:T1|T1=0 T2=6|kernel_shape:I! pads:I strides:I
MaxUnpool 11|=|=|=|=
MaxUnpool 22|=|=|T1=3 T2=6|=
Mean 1|data_0:T*1|mean:T|T=0|consumed_inputs:I
Mean 6|=|=|=|
Mean 8|=|=|=|
Mean 13|=|=|T=3|
MeanVarianceNormalization 9|X:T|Y:T|T=0|axes:I=[0,2,3]
MeanVarianceNormalization 13|=|=|T=3|=
MelWeightMatrix 17|num_mel_bins:T1 dft_length:T1 sample_rate:T1 lower_edge_hertz:T2 upper_edge_hertz:T2|output:T3|T1=12 T2=3 T3=2|output_datatype:i=1
Min 1|data_0:T*1|min:T|T=0|consumed_inputs:I
Min 6|=|=|=|
Min 8|=|=|=|
Min 12|=|=|T=1|
Min 13|=|=|T=2|
Mish 18|X:T|Y:T|T=0|
Mish 22|=|=|T=3|
Mod 10|A:T B:T|C:T|T=1|fmod:i=0
Mod 13|=|=|T=2|=
Mul 1|A:T B:T|C:T|T=0|axis:i broadcast:i=0 consumed_inputs:I
Mul 6|=|=|T=4|axis:i broadcast:i=0
Mul 7|=|=|=|
Mul 13|=|=|T=5|
Mul 14|=|=|T=2|
Multinomial 7|input:T1|output:T2|T1=0 T2=12|dtype:i=6 sample_size:i=1 seed:f
Multinomial 22|=|=|T1=3 T2=12|=
Neg 1|X:T|Y:T|T=0|consumed_inputs:I
Neg 6|=|=|T=66|
Neg 13|=|=|T=67|
NegativeLogLikelihoodLoss 12|input:T target:Tind weight:T?|loss:T|T=0 Tind=12|ignore_index:i reduction:s="mean"
NegativeLogLikelihoodLoss 13|=|=|=|=
NegativeLogLikelihoodLoss 22|=|=|T=3 Tind=12|=
NonMaxSuppression 10|boxes:float32 scores:float32 max_output_boxes_per_class:int64? iou_threshold:float32? score_threshold:float32?|selected_indices:int64||center_point_box:i=0
NonMaxSuppression 11|=|=||=
NonZero 9|X:T|Y:int64|T=24|
NonZero 13|=|=|T=23|
Not 1|X:T|Y:T|T=7|
OneHot 9|indices:T1 depth:T2 values:T3|output:T3|T1=1 T2=1 T3=24|axis:i=-1
OneHot 11|=|=|=|=
Optional 15|input:V?|output:O|V=55 O=68|type:y
OptionalGetElement 15|input:O|output:V|O=68 V=55|
OptionalGetElement 18|=|=|O=69 V=55|
OptionalHasElement 15|input:O|output:B|O=68 B=7|
OptionalHasElement 18|input:O?|=|O=69 B=7|
Or 1|A:T B:T|C:T1|T=7 T1=7|axis:i broadcast:i=0
Or 7|=|=|=|
PRelu 1|X:T slope:T|Y:T|T=0|consumed_inputs:I
PRelu 6|=|=|=|
PRelu 7|=|=|=|
PRelu 9|=|=|T=4|
PRelu 16|=|=|T=5|
Pad 1|data:T|output:T|T=0|mode:s="constant" paddings:I! value:f=0.0
Pad 2|=|=|=|mode:s="constant" pads:I! value:f=0.0
Pad 11|data:T pads:int64 constant_value:T?|=|T=1|mode:s="constant"
Pad 13|=|=|T=23|=
Pad 18|data:T pads:int64 constant_value:T? axes:Tind?|=|T=23 Tind=12|=
Pad 19|=|=|=|=
Pad 21|=|=|T=27 Tind=12|=
Pad 23|=|=|T=28 Tind=12|=
Pad 24|=|=|T=29 Tind=12|=
Pad 25|=|=|T=30 Tind=12|=
Pow 1|X:T Y:T|Z:T|T=0|axis:i broadcast:i=0
Pow 7|=|=|=|
Pow 12|X:T Y:T1|=|T=70 T1=1|
Pow 13|=|=|T=71 T1=1|
Pow 15|=|=|T=71 T1=2|
QLinearConv 10|x:T1 x_scale:float32 x_zero_point:T1 w:T2 w_scale:float32 w_zero_point:T2 y_scale:float32 y_zero_point:T3 B:T4?|y:T3|T1=36 T2=36 T3=36 T4=37|auto_pad:s="NOTSET" dilations:I group:i=1 kernel_shape:I pads:I strides:I
QLinearMatMul 10|a:T1 a_scale:float32 a_zero_point:T1 b:T2 b_scale:float32 b_zero_point:T2 y_scale:float32 y_zero_point:T3|y:T3|T1=36 T2=36 T3=36|
QLinearMatMul 21|a:T1 a_scale:TS a_zero_point:T1 b:T2 b_scale:TS b_zero_point:T2 y_scale:TS y_zero_point:T3|=|TS=21 T1=72 T2=72 T3=72|
QuantizeLinear 10|x:T1 y_scale:float32 y_zero_point:T2?|y:T2|T1=73 T2=36|
QuantizeLinear 13|=|=|=|axis:i=1
QuantizeLinear 19|x:T1 y_scale:T1 y_zero_point:T2?|=|T1=74 T2=72|axis:i=1 saturate:i=1
QuantizeLinear 21|=|=|T1=74 T2=75|axis:i=1 block_size:i=0 output_dtype:i=0 saturate:i=1
QuantizeLinear 23|x:T1 y_scale:T2 y_zero_point:T3?|y:T3|T1=74 T2=74 T3=76|axis:i=1 block_size:i=0 output_dtype:i=0 precision:i=0 saturate:i=1
QuantizeLinear 24|=|=|T1=74 T2=77 T3=76|=
QuantizeLinear 25|=|=|T1=74 T2=77 T3=78|=
RMSNormalization 23|X:T scale:V|Y:V|T=3 V=3|axis:i=-1 epsilon:f=1e-05 stash_type:i=1
RNN 1|X:T W:T R:T B:T? sequence_lens:T1? initial_h:T?|Y:T? Y_h:T?|T=0 T1=37|activation_alpha:F activation_beta:F activations:S=["Tanh","Tanh"] clip:f direction:s="forward" hidden_size:i output_sequence:i=0
RNN 7|=|=|=|activation_alpha:F activation_beta:F activations:S=["Tanh","Tanh"] clip:f direction:s="forward" hidden_size:i
RNN 14|=|=|=|activation_alpha:F activation_beta:F activations:S=["Tanh","Tanh"] clip:f direction:s="forward" hidden_size:i layout:i=0
RNN 22|=|=|T=3 T1=37|=
RandomNormal 1||output:T|T=0|dtype:i=1 mean:f=0.0 scale:f=1.0 seed:f shape:I!
RandomNormal 22||=|T=3|=
RandomNormalLike 1|input:T1|output:T2|T1=24 T2=0|dtype:i mean:f=0.0 scale:f=1.0 seed:f
RandomNormalLike 22|=|=|T1=23 T2=3|=
RandomUniform 1||output:T|T=0|dtype:i=1 high:f=1.0 low:f=0.0 seed:f shape:I!
RandomUniform 22||=|T=3|=
RandomUniformLike 1|input:T1|output:T2|T1=24 T2=0|dtype:i high:f=1.0 low:f=0.0 seed:f
RandomUniformLike 22|=|=|T1=23 T2=3|=
Range 11|start:T limit:T delta:T|output:T|T=79|
Range 27|=|=|T=80|stash_type:i=1
Reciprocal 1|X:T|Y:T|T=0|consumed_inputs:I
Reciprocal 6|=|=|=|
Reciprocal 13|=|=|T=3|
ReduceL1 1|data:T|reduced:T|T=4|axes:I keepdims:i=1
ReduceL1 11|=|=|=|=
ReduceL1 13|=|=|T=5|=
ReduceL1 18|data:T axes:int64?|=|=|keepdims:i=1 noop_with_empty_axes:i=0
ReduceL2 1|data:T|reduced:T|T=4|axes:I keepdims:i=1
ReduceL2 11|=|=|=|=
ReduceL2 13|=|=|T=5|=
ReduceL2 18|data:T axes:int64?|=|=|keepdims:i=1 noop_with_empty_axes:i=0
ReduceLogSum 1|data:T|reduced:T|T=4|axes:I keepdims:i=1
ReduceLogSum 11|=|=|=|=
ReduceLogSum 13|=|=|T=5|=
ReduceLogSum 18|data:T axes:int64?|=|=|keepdims:i=1 noop_with_empty_axes:i=0
ReduceLogSumExp 1|data:T|reduced:T|T=4|axes:I keepdims:i=1
ReduceLogSumExp 11|=|=|=|=
ReduceLogSumExp 13|=|=|T=5|=
ReduceLogSumExp 18|data:T axes:int64?|=|=|keepdims:i=1 noop_with_empty_axes:i=0
ReduceMax 1|data:T|reduced:T|T=4|axes:I keepdims:i=1
ReduceMax 11|=|=|=|=
ReduceMax 12|=|=|T=81|=
ReduceMax 13|=|=|T=82|=
ReduceMax 18|data:T axes:int64?|=|=|keepdims:i=1 noop_with_empty_axes:i=0
ReduceMax 20|=|=|T=83|=
ReduceMean 1|data:T|reduced:T|T=4|axes:I keepdims:i=1
ReduceMean 11|=|=|=|=
ReduceMean 13|=|=|T=5|=
ReduceMean 18|data:T axes:int64?|=|=|keepdims:i=1 noop_with_empty_axes:i=0
ReduceMin 1|data:T|reduced:T|T=4|axes:I keepdims:i=1
ReduceMin 11|=|=|=|=
ReduceMin 12|=|=|T=81|=
ReduceMin 13|=|=|T=82|=
ReduceMin 18|data:T axes:int64?|=|=|keepdims:i=1 noop_with_empty_axes:i=0
ReduceMin 20|=|=|T=83|=
ReduceProd 1|data:T|reduced:T|T=4|axes:I keepdims:i=1
ReduceProd 11|=|=|=|=
ReduceProd 13|=|=|T=5|=
ReduceProd 18|data:T axes:int64?|=|=|keepdims:i=1 noop_with_empty_axes:i=0
ReduceSum 1|data:T|reduced:T|T=4|axes:I keepdims:i=1
ReduceSum 11|=|=|=|=
ReduceSum 13|data:T axes:int64?|=|T=5|keepdims:i=1 noop_with_empty_axes:i=0
ReduceSumSquare 1|data:T|reduced:T|T=4|axes:I keepdims:i=1
ReduceSumSquare 11|=|=|=|=
ReduceSumSquare 13|=|=|T=5|=
ReduceSumSquare 18|data:T axes:int64?|=|=|keepdims:i=1 noop_with_empty_axes:i=0
RegexFullMatch 20|X:T1|Y:T2|T1=84 T2=7|pattern:s
Relu 1|X:T|Y:T|T=0|consumed_inputs:I
Relu 6|=|=|=|
Relu 13|=|=|T=3|
Relu 14|=|=|T=67|
Reshape 1|data:T|reshaped:T|T=0|consumed_inputs:I shape:I
Reshape 5|data:T shape:int64|=|T=24|
Reshape 13|=|=|T=23|
Reshape 14|=|=|=|allowzero:i=0
Reshape 19|=|=|T=26|=
Reshape 21|=|=|T=27|=
Reshape 23|=|=|T=28|=
Reshape 24|=|=|T=29|=
Reshape 25|=|=|T=30|=
Resize 10|X:T scales:float32|Y:T|T=24|mode:s="nearest"
Resize 11|X:T1 roi:T2 scales:float32 sizes:int64?|Y:T1|T1=24 T2=0|coordinate_transformation_mode:s="half_pixel" cubic_coeff_a:f=-0.75 exclude_outside:i=0 extrapolation_value:f=0.0 mode:s="nearest" nearest_mode:s="round_prefer_floor"
Resize 13|X:T1 roi:T2? scales:float32? sizes:int64?|=|T1=23 T2=0|=
Resize 18|=|=|=|antialias:i=0 axes:I coordinate_transformation_mode:s="half_pixel" cubic_coeff_a:f=-0.75 exclude_outside:i=0 extrapolation_value:f=0.0 keep_aspect_ratio_policy:s="stretch" mode:s="nearest" nearest_mode:s="round_prefer_floor"
Resize 19|=|=|=|=
ReverseSequence 10|input:T sequence_lens:int64|Y:T|T=24|batch_axis:i=1 time_axis:i=0
RoiAlign 10|X:T1 rois:T1 batch_indices:T2|Y:T1|T1=0 T2=6|mode:s="avg" output_height:i=1 output_width:i=1 sampling_ratio:i=0 spatial_scale:f=1.0
RoiAlign 16|=|=|=|coordinate_transformation_mode:s="half_pixel" mode:s="avg" output_height:i=1 output_width:i=1 sampling_ratio:i=0 spatial_scale:f=1.0
RoiAlign 22|=|=|T1=3 T2=6|=
RotaryEmbedding 23|X:T cos_cache:T sin_cache:T position_ids:M?|Y:T|T=21 M=6|interleaved:i=0 num_heads:i rotary_embedding_dim:i=0
Round 11|X:T|Y:T|T=0|
Round 22|=|=|T=3|
STFT 17|signal:T1 frame_step:T2 window:T1? frame_length:T2?|output:T1|T1=3 T2=12|onesided:i=1
Scan 8|sequence_lens:I? initial_state_and_scan_inputs:V~1|final_state_and_scan_outputs:V~1|I=6 V=24|body:g! directions:I num_scan_inputs:i!
Scan 9|initial_state_and_scan_inputs:V~1|=|V=24|body:g! num_scan_inputs:i! scan_input_axes:I scan_input_directions:I scan_output_axes:I scan_output_directions:I
Scan 11|=|=|=|=
Scan 16|=|=|V=23|=
Scan 19|=|=|V=26|=
Scan 21|=|=|V=27|=
Scan 23|=|=|V=28|=
Scan 24|=|=|V=29|=
Scan 25|=|=|V=30|=
Scatter 9|data:T indices:Tind updates:T|output:T|T=24 Tind=12|axis:i=0
Scatter 11!|=|=|=|=
ScatterElements 11|data:T indices:Tind updates:T|output:T|T=24 Tind=12|axis:i=0
ScatterElements 13|=|=|T=23 Tind=12|=
ScatterElements 16|=|=|=|axis:i=0 reduction:s="none"
ScatterElements 18|=|=|=|=
ScatterND 11|data:T indices:int64 updates:T|output:T|T=24|
ScatterND 13|=|=|T=23|
ScatterND 16|=|=|=|reduction:s="none"
ScatterND 18|=|=|=|=
Selu 1|X:T|Y:T|T=0|alpha:f=1.6732 consumed_inputs:I gamma:f=1.0507
Selu 6|=|=|=|alpha:f=1.6732632 gamma:f=1.050701
Selu 22|=|=|T=3|=
SequenceAt 11|input_sequence:S position:I|tensor:T|S=25 T=24 I=12|
SequenceConstruct 11|inputs:T*1|output_sequence:S|T=24 S=25|
SequenceEmpty 11||output:S|S=25|dtype:i
SequenceErase 11|input_sequence:S position:I?|output_sequence:S|S=25 I=12|
SequenceInsert 11|input_sequence:S tensor:T position:I?|output_sequence:S|T=24 S=25 I=12|
SequenceLength 11|input_sequence:S|length:I|S=25 I=6|
SequenceMap 17|input_sequence:S additional_inputs:V~0|out_sequence:S~1|S=25 V=55|body:g!
Shape 1|data:T|shape:T1|T=24 T1=6|
Shape 13|=|=|T=23 T1=6|
Shape 15|=|=|=|end:i start:i=0
Shape 19|=|=|T=26 T1=6|=
Shape 21|=|=|T=27 T1=6|=
Shape 23|=|=|T=28 T1=6|=
Shape 24|=|=|T=29 T1=6|=
Shape 25|=|=|T=30 T1=6|=
Shrink 9|input:T|output:T|T=1|bias:f=0.0 lambd:f=0.5
Sigmoid 1|X:T|Y:T|T=0|consumed_inputs:I
Sigmoid 6|=|=|=|
Sigmoid 13|=|=|T=3|
Sign 9|input:T|output:T|T=1|
Sign 13|=|=|T=2|
Sin 7|input:T|output:T|T=0|
Sin 22|=|=|T=3|
Sinh 9|input:T|output:T|T=0|
Sinh 22|=|=|T=3|
Size 1|data:T|size:T1|T=24 T1=6|
Size 13|=|=|T=23 T1=6|
Size 19|=|=|T=26 T1=6|
Size 21|=|=|T=27 T1=6|
Size 23|=|=|T=28 T1=6|
Size 24|=|=|T=29 T1=6|
Size 25|=|=|T=30 T1=6|
Slice 1|data:T|output:T|T=24|axes:I ends:I! starts:I!
Slice 10|data:T starts:Tind ends:Tind axes:Tind? steps:Tind?|=|T=24 Tind=12|
Slice 11|=|=|=|
Slice 13|=|=|T=23 Tind=12|
Softmax 1|input:T|output:T|T=0|axis:i=1
Softmax 11|=|=|=|=
Softmax 13|=|=|T=3|axis:i=-1
SoftmaxCrossEntropyLoss 12|scores:T labels:Tind weights:T?|output:T log_prob:T?|T=0 Tind=12|ignore_index:i reduction:s="mean"
SoftmaxCrossEntropyLoss 13|=|=|T=3 Tind=12|=
Softplus 1|X:T|Y:T|T=0|
Softplus 22|=|=|T=3|
Softsign 1|input:T|output:T|T=0|
Softsign 22|=|=|T=3|
SpaceToDepth 1|input:T|output:T|T=24|blocksize:i!
SpaceToDepth 13|=|=|T=23|=
Split 1|input:T split:T?|outputs...:T*1|T=0|axis:i split:I
Split 2|input:T|outputs:T*1|T=24|axis:i=0 split:I
Split 11|=|=|=|=
Split 13|input:T split:int64?|=|T=23|axis:i=0
Split 18|=|=|=|axis:i=0 num_outputs:i
SplitToSequence 11|input:T split:I?|output_sequence:S|T=24 I=12 S=25|axis:i=0 keepdims:i=1
SplitToSequence 24|=|=|T=23 I=12 S=85|=
Sqrt 1|X:T|Y:T|T=0|consumed_inputs:I
Sqrt 6|=|=|=|
Sqrt 13|=|=|T=3|
Squeeze 1|data:T|squeezed:T|T=24|axes:I
Squeeze 11|=|=|=|=
Squeeze 13|data:T axes:int64?|=|T=23|
Squeeze 21|=|=|T=27|
Squeeze 23|=|=|T=28|
Squeeze 24|=|=|T=29|
Squeeze 25|=|=|T=30|
StringConcat 20|X:T Y:T|Z:T|T=84|
StringNormalizer 10|X:string|Y:string||case_change_action:s="NONE" is_case_sensitive:i=0 locale:s stopwords:S
StringSplit 20|X:T1|Y:T2 Z:T3|T1=84 T2=84 T3=6|delimiter:s maxsplit:i
Sub 1|A:T B:T|C:T|T=0|axis:i broadcast:i=0 consumed_inputs:I
Sub 6|=|=|T=4|axis:i broadcast:i=0
Sub 7|=|=|=|
Sub 13|=|=|T=5|
Sub 14|=|=|T=2|
Sum 1|data_0:T*1|sum:T|T=0|consumed_inputs:I
Sum 6|=|=|=|
Sum 8|=|=|=|
Sum 13|=|=|T=3|
Swish 24|X:T|Y:T|T=3|alpha:f=1.0
Tan 7|input:T|output:T|T=0|
Tan 22|=|=|T=3|
Tanh 1|input:T|output:T|T=0|consumed_inputs:I
Tanh 6|=|=|=|
Tanh 13|=|=|T=3|
TensorScatter 24|past_cache:T update:T write_indices:int64?|present_cache:T|T=29|axis:i=-2 mode:s="linear"
TfIdfVectorizer 9|X:T|Y:T1|T=86 T1=22|max_gram_length:i! max_skip_count:i! min_gram_length:i! mode:s! ngram_counts:I! ngram_indexes:I! pool_int64s:I pool_strings:S weights:F
ThresholdedRelu 10|X:T|Y:T|T=0|alpha:f=1.0
ThresholdedRelu 22|=|=|T=3|=
Tile 1|input:T tiles:T axis:T|output:T|T=0 T1=6|
Tile 6|input:T repeats:T1|=|T=24 T1=6|
Tile 13|=|=|T=23 T1=6|
TopK 1|X:T|Values:T Indices:I|T=0 I=6|axis:i=-1 k:i!
TopK 10|X:T K:int64|=|=|axis:i=-1
TopK 11|=|=|T=1 I=6|axis:i=-1 largest:i=1 sorted:i=1
TopK 24|=|=|T=2 I=6|=
Transpose 1|data:T|transposed:T|T=24|perm:I
Transpose 13|=|=|T=23|=
Transpose 21|=|=|T=27|=
Transpose 23|=|=|T=28|=
Transpose 24|=|=|T=29|=
Transpose 25|=|=|T=30|=
Trilu 14|input:T k:int64?|output:T|T=23|upper:i=1
Unique 11|X:T|Y:T indices:int64? inverse_indices:int64? counts:int64?|T=24|axis:i sorted:i=1
Unsqueeze 1|data:T|expanded:T|T=24|axes:I!
Unsqueeze 11|=|=|=|=
Unsqueeze 13|data:T axes:int64|=|T=23|
Unsqueeze 21|=|=|T=27|
Unsqueeze 23|=|=|T=28|
Unsqueeze 24|=|=|T=29|
Unsqueeze 25|=|=|T=30|
Upsample 1|X:T|Y:T|T=87|height_scale:f! mode:s="nearest" width_scale:f!
Upsample 7|=|=|T=24|mode:s="nearest" scales:F!
Upsample 9|X:T scales:float32|=|=|mode:s="nearest"
Upsample 10!|=|=|=|=
Where 9|condition:B X:T Y:T|output:T|B=7 T=24|
Where 16|=|=|B=7 T=23|
Xor 1|A:T B:T|C:T1|T=7 T1=7|axis:i broadcast:i=0
Xor 7|=|=|=|
#ai.onnx.ml
ArrayFeatureExtractor 1|X:T Y:int64|Z:T|T=88|
Binarizer 1|X:T|Y:T|T=89|threshold:f=0.0
CastMap 1|X:T1|Y:T2|T1=90 T2=91|cast_to:s="TO_FLOAT" map_form:s="DENSE" max_map:i=1
CategoryMapper 1|X:T1|Y:T2|T1=92 T2=92|cats_int64s:I cats_strings:S default_int64:i=-1 default_string:s="_Unused"
DictVectorizer 1|X:T1|Y:T2|T1=93 T2=94|int64_vocabulary:I string_vocabulary:S
FeatureVectorizer 1|X:T1*1|Y:float32|T1=89|inputdimensions:I
Imputer 1|X:T|Y:T|T=89|imputed_value_floats:F imputed_value_int64s:I replaced_value_float:f=0.0 replaced_value_int64:i=0
LabelEncoder 1|X:T1|Y:T2|T1=92 T2=92|classes_strings:S default_int64:i=-1 default_string:s="_Unused"
LabelEncoder 2|=|=|T1=91 T2=91|default_float:f=-0.0 default_int64:i=-1 default_string:s="_Unused" keys_floats:F keys_int64s:I keys_strings:S values_floats:F values_int64s:I values_strings:S
LabelEncoder 4|=|=|T1=95 T2=95|default_float:f=-0.0 default_int64:i=-1 default_string:s="_Unused" default_tensor:t keys_floats:F keys_int64s:I keys_strings:S keys_tensor:t values_floats:F values_int64s:I values_strings:S values_tensor:t
LinearClassifier 1|X:T1|Y:T2 Z:float32|T1=89 T2=92|classlabels_ints:I classlabels_strings:S coefficients:F! intercepts:F multi_class:i=0 post_transform:s="NONE"
LinearRegressor 1|X:T|Y:float32|T=89|coefficients:F intercepts:F post_transform:s="NONE" targets:i=1
Normalizer 1|X:T|Y:float32|T=89|norm:s="MAX"
OneHotEncoder 1|X:T|Y:float32|T=88|cats_int64s:I cats_strings:S zeros:i=1
SVMClassifier 1|X:T1|Y:T2 Z:float32|T1=89 T2=92|classlabels_ints:I classlabels_strings:S coefficients:F kernel_params:F kernel_type:s="LINEAR" post_transform:s="NONE" prob_a:F prob_b:F rho:F support_vectors:F vectors_per_class:I
SVMRegressor 1|X:T|Y:float32|T=89|coefficients:F kernel_params:F kernel_type:s="LINEAR" n_supports:i=0 one_class:i=0 post_transform:s="NONE" rho:F support_vectors:F
Scaler 1|X:T|Y:float32|T=89|offset:F scale:F
TreeEnsemble 5|X:T|Y:T|T=0|aggregate_function:i=1 leaf_targetids:I! leaf_weights:t! membership_values:t n_targets:i nodes_falseleafs:I! nodes_falsenodeids:I! nodes_featureids:I! nodes_hitrates:t nodes_missing_value_tracks_true:I nodes_modes:t! nodes_splits:t! nodes_trueleafs:I! nodes_truenodeids:I! post_transform:i=0 tree_roots:I!
TreeEnsembleClassifier 1|X:T1|Y:T2 Z:float32|T1=89 T2=92|base_values:F class_ids:I class_nodeids:I class_treeids:I class_weights:F classlabels_int64s:I classlabels_strings:S nodes_falsenodeids:I nodes_featureids:I nodes_hitrates:F nodes_missing_value_tracks_true:I nodes_modes:S nodes_nodeids:I nodes_treeids:I nodes_truenodeids:I nodes_values:F post_transform:s="NONE"
TreeEnsembleClassifier 3|=|=|=|base_values:F base_values_as_tensor:t class_ids:I class_nodeids:I class_treeids:I class_weights:F class_weights_as_tensor:t classlabels_int64s:I classlabels_strings:S nodes_falsenodeids:I nodes_featureids:I nodes_hitrates:F nodes_hitrates_as_tensor:t nodes_missing_value_tracks_true:I nodes_modes:S nodes_nodeids:I nodes_treeids:I nodes_truenodeids:I nodes_values:F nodes_values_as_tensor:t post_transform:s="NONE"
TreeEnsembleClassifier 5!|=|=|=|=
TreeEnsembleRegressor 1|X:T|Y:float32|T=89|aggregate_function:s="SUM" base_values:F n_targets:i nodes_falsenodeids:I nodes_featureids:I nodes_hitrates:F nodes_missing_value_tracks_true:I nodes_modes:S nodes_nodeids:I nodes_treeids:I nodes_truenodeids:I nodes_values:F post_transform:s="NONE" target_ids:I target_nodeids:I target_treeids:I target_weights:F
TreeEnsembleRegressor 3|=|=|=|aggregate_function:s="SUM" base_values:F base_values_as_tensor:t n_targets:i nodes_falsenodeids:I nodes_featureids:I nodes_hitrates:F nodes_hitrates_as_tensor:t nodes_missing_value_tracks_true:I nodes_modes:S nodes_nodeids:I nodes_treeids:I nodes_truenodeids:I nodes_values:F nodes_values_as_tensor:t post_transform:s="NONE" target_ids:I target_nodeids:I target_treeids:I target_weights:F target_weights_as_tensor:t
TreeEnsembleRegressor 5!|=|=|=|=
ZipMap 1|X:float32|Z:T|T=96|classlabels_int64s:I classlabels_strings:S
#ai.onnx.preview
FlexAttention 1|Q:T1 K:T1 V:T1|Y:T1|T1=3|prob_mod:g scale:f score_mod:g softmax_precision:i
#ai.onnx.preview.training
Adagrad 1|R:T1 T:T2 inputs:T3~1|outputs:T3~1|T1=62 T2=6 T3=62|decay_factor:f=0.0 epsilon:f=1e-06 norm_coefficient:f=0.0
Adam 1|R:T1 T:T2 inputs:T3~1|outputs:T3~1|T1=62 T2=6 T3=62|alpha:f=0.9 beta:f=0.999 epsilon:f=1e-06 norm_coefficient:f=0.0 norm_coefficient_post:f=0.0
Gradient 1|Inputs:T1~1|Outputs:T2~1|T1=24 T2=0|xs:S! y:s! zs:S
Momentum 1|R:T1 T:T2 inputs:T3~1|outputs:T3~1|T1=62 T2=6 T3=62|alpha:f! beta:f! mode:s! norm_coefficient:f!`
