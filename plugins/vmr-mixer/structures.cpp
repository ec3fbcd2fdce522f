#include "structures.hpp"

namespace vmr::mixer {
namespace {

template <typename T, typename Set>
void set_array(GstStructure* structure, const char* field, std::span<const T> values, GType type, Set set) {
    GValue array = G_VALUE_INIT;
    g_value_init(&array, GST_TYPE_ARRAY);
    for (const T value : values) {
        GValue item = G_VALUE_INIT;
        g_value_init(&item, type);
        set(&item, value);
        gst_value_array_append_and_take_value(&array, &item);
    }
    gst_structure_take_value(structure, field, &array);
}

}  // namespace

void set_participants(GstStructure* structure, const char* field, std::span<const unsigned> participants) {
    set_array(structure, field, participants, G_TYPE_UINT, g_value_set_uint);
}

void set_doubles(GstStructure* structure, const char* field, std::span<const double> values) {
    set_array(structure, field, values, G_TYPE_DOUBLE, g_value_set_double);
}

}  // namespace vmr::mixer
