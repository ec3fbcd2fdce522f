// spandsp's headers, which need <cinttypes> and <ctime> before them and define lrint and lrintf as macros
// that cut instead of rounding.
#pragma once

#include <cinttypes>
#include <ctime>

#include <spandsp.h>

#undef lrint
#undef lrintf
