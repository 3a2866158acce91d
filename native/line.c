#include "line.h"
