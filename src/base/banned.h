/* banned.h - calls that are too easy to misuse are compile errors. Included by every source file
 * through the compiler's -include (see meson.build), so nobody can forget it. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifndef __clang_analyzer__ /* its headers have macros of these names */
#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol atof gets strncat strncpy
#endif
