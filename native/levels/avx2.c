#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#pragma GCC target("avx2,fma,bmi,bmi2,lzcnt,popcnt")
#define LEVEL avx2
#include "levels/level.h"
#endif
