#include "fsk.h"
