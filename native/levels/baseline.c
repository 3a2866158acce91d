#if defined(__SSE2__)
#include <emmintrin.h>
#endif
#include <math.h>
#include <string.h>

#define LEVEL baseline
#include "levels/level.h"
