#include <math.h>
#include <string.h>

#define LEVEL baseline
#include "levels/level.h"
