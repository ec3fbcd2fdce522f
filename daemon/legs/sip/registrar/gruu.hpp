// Globally routable user agent URIs (RFC 5627): addresses of one instance of a device. Public ones say whose,
// temporary ones do not: they are sealed, so that nothing is kept of those that were given.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vmr::sip {

// Value of "gr" for "<urn:uuid:…>"; empty where it cannot stand in a URI.
std::string gruu_value(std::string_view instance);

class TempGruus {
public:
    TempGruus();
    // For a registration: whoever has it may be found by all that is made of it.
    std::uint64_t new_id();
    // User part of a temporary GRUU, each time another.
    std::string make(std::uint64_t id);
    // What it was made of; of a forged one a number that is nobody's.
    std::optional<std::uint64_t> id_of(std::string_view user) const;

private:
    std::array<unsigned char, 32> key_;  // new at each start, as registrations are
    std::uint64_t made_ = 0;
};

}  // namespace vmr::sip
