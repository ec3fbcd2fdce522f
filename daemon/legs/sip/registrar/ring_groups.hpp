// Which contacts of a device ring together. Pure.
#pragma once
#include <vector>

#include "daemon/legs/sip/registrar/locations.hpp"

namespace vmr::sip {

// Ways to one device: contacts of the same instance (RFC 5626 section 4.2), of which one rings.
using RingDevice = std::vector<Contact>;
using RingGroup = std::vector<RingDevice>;

// Of `contacts`, best first: those of a q-value ring together, lower ones when the higher have failed. One
// offer goes to a group, so that its members are protected alike and reach us at one address of ours.
std::vector<RingGroup> ring_groups(const std::vector<Contact>& contacts);

}  // namespace vmr::sip
