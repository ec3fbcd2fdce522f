// libre's headers, which want these to come first. Only what speaks to libre includes this.
#pragma once
#include <sys/socket.h>
#include <sys/types.h>

#include <cstdbool>
#include <cstdint>
#include <cstdio>

// As Debian's libre was built: the size of bool and sa depend on these.
#define HAVE_INTTYPES_H 1
#define HAVE_STDBOOL_H 1
#define HAVE_INET6 1
#define USE_OPENSSL 1  // declares the native SSL_CTX
#define DEBUG_MODULE "sip"
#define DEBUG_LEVEL 0
#include <re.h>
#include <re_dbg.h>
