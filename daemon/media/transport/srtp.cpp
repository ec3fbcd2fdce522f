#include "daemon/media/transport/srtp.hpp"

namespace vmr::media {

namespace {

constexpr SrtpSuiteInfo kSuites[] = {
    {SrtpSuite::aes_cm_128_hmac_sha1_80, "AES_CM_128_HMAC_SHA1_80", "aes-128-icm", "hmac-sha1-80",
     "hmac-sha1-80", 16, 14},
    {SrtpSuite::aes_cm_128_hmac_sha1_32, "AES_CM_128_HMAC_SHA1_32", "aes-128-icm", "hmac-sha1-32",
     "hmac-sha1-80", 16, 14},
    {SrtpSuite::aes_256_cm_hmac_sha1_80, "AES_256_CM_HMAC_SHA1_80", "aes-256-icm", "hmac-sha1-80",
     "hmac-sha1-80", 32, 14},
    {SrtpSuite::aes_256_cm_hmac_sha1_32, "AES_256_CM_HMAC_SHA1_32", "aes-256-icm", "hmac-sha1-32",
     "hmac-sha1-80", 32, 14},
    {SrtpSuite::aead_aes_128_gcm, "AEAD_AES_128_GCM", "aes-128-gcm", "null", "null", 16, 12},
    {SrtpSuite::aead_aes_256_gcm, "AEAD_AES_256_GCM", "aes-256-gcm", "null", "null", 32, 12},
};

}  // namespace

const SrtpSuiteInfo& suite_info(SrtpSuite suite) {
    for (const SrtpSuiteInfo& info : kSuites) {
        if (info.suite == suite) {
            return info;
        }
    }
    g_assert_not_reached();
}

CryptoReceipt receipt_of(CryptoReceipt::KeyExchange exchange, SrtpSuite suite) {
    const SrtpSuiteInfo& info = suite_info(suite);
    return {exchange, info.name, info.key_bytes * 8};
}

CapsPtr decrypt_caps(const SrtpKeys& keys, uint32_t ssrc) {
    const SrtpSuiteInfo& info = suite_info(keys.suite);
    auto key = BufferPtr::adopt(gst_buffer_new_memdup(keys.remote.data(), keys.remote.size()));
    return CapsPtr::adopt(gst_caps_new_simple(
        "application/x-srtp", "ssrc", G_TYPE_UINT, ssrc, "srtp-key", GST_TYPE_BUFFER, key.get(),
        "srtp-cipher", G_TYPE_STRING, info.cipher, "srtp-auth", G_TYPE_STRING, info.rtp_auth, "srtcp-cipher",
        G_TYPE_STRING, info.cipher, "srtcp-auth", G_TYPE_STRING, info.rtcp_auth, nullptr));
}

void set_encrypt_keys(GstElement* srtpenc, const SrtpKeys& keys) {
    const SrtpSuiteInfo& info = suite_info(keys.suite);
    GObject* object = G_OBJECT(srtpenc);
    gst_util_set_object_arg(object, "rtp-cipher", info.cipher);
    gst_util_set_object_arg(object, "rtcp-cipher", info.cipher);
    gst_util_set_object_arg(object, "rtp-auth", info.rtp_auth);
    gst_util_set_object_arg(object, "rtcp-auth", info.rtcp_auth);
    auto key = BufferPtr::adopt(gst_buffer_new_memdup(keys.local.data(), keys.local.size()));
    g_object_set(object, "key", key.get(), nullptr);
}

}  // namespace vmr::media
