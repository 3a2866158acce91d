#include "t4.h"
