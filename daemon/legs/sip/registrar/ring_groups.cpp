#include "daemon/legs/sip/registrar/ring_groups.hpp"

#include <algorithm>

namespace vmr::sip {
namespace {

bool is_protected(const Contact& contact) {
    return contact.flow.transport == Transport::tls;
}

bool fits(const RingGroup& group, const Contact& contact) {
    const Contact& first = group.front().front();
    return first.q == contact.q && is_protected(first) == is_protected(contact) &&
           first.flow.local.ip == contact.flow.local.ip;
}

RingDevice* find_instance(std::vector<RingGroup>& groups, const Contact& contact) {
    for (RingGroup& group : groups) {
        for (RingDevice& device : group) {
            if (!contact.instance.empty() && device.front().instance == contact.instance) {
                return &device;
            }
        }
    }
    return nullptr;
}

}  // namespace

std::vector<RingGroup> ring_groups(const std::vector<Contact>& contacts) {
    std::vector<RingGroup> groups;
    for (const Contact& contact : contacts) {
        if (RingDevice* known = find_instance(groups, contact)) {
            known->push_back(contact);
            continue;
        }
        const auto group =
            std::ranges::find_if(groups, [&contact](const RingGroup& one) { return fits(one, contact); });
        if (group != groups.end()) {
            group->push_back({contact});
        } else {
            groups.push_back({{contact}});
        }
    }
    std::ranges::stable_sort(groups, [](const RingGroup& left, const RingGroup& right) {
        const Contact& one = left.front().front();
        const Contact& other = right.front().front();
        return one.q != other.q ? one.q > other.q : is_protected(one) && !is_protected(other);
    });
    return groups;
}

}  // namespace vmr::sip
