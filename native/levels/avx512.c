#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#pragma GCC target("avx2,fma,bmi,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")
#define LEVEL avx512
#include "levels/level.h"
#endif
