#include "qam.h"
