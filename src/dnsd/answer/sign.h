/* sign.h - makes a zone's reply one that a validating resolver believes: signatures behind its records,
 * and for "no" an NSEC record that covers the asked name alone (RFC 9824, compact denial of existence), so
 * that nothing needs to be signed beforehand and nobody can walk the zone. */
#pragma once

#include "dnsd/answer/zone.h"

/* r holds the zone's whole unsigned answer with this rcode; r->zone->key is there and the client set DO.
 * `exists`: the name is there, if perhaps with nothing of the asked type. Returns the rcode to send, which
 * is NOERROR for a name that does not exist unless the client knows better (RFC 9824, 5). What finds no room
 * or may not be signed now truncates the reply: over TCP it will be. */
unsigned sign_reply(struct reply *r, unsigned rcode, bool exists);
